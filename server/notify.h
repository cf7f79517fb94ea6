/* Notify: tells systemd how the service is (sd_notify(3)), where $NOTIFY_SOCKET is set. */
#pragma once

#include "base/mem.h"

/* "READY=1", "RELOADING=1\nMONOTONIC_USEC=...", "STOPPING=1". Failures are nobody's business. */
void notify(const char *state);
void notify_reloading(void);
