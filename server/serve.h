/* Serve: the server as a whole: store, CA, profiles, own certificate, services and listeners, put
 * together from a configuration and taken apart again.
 *
 * One thread opens, reloads and closes; the parts have their own threads. */
#pragma once

#include "server/config.h"

struct serve;
/* Takes the config: the parts point into it. The data folder's lock is held until closing. */
bool serve_open(struct config **config, struct serve **ret, struct problem *p) must_use;
/* Takes up what can be taken up of the new configuration, all of it or, on failure, nothing. */
bool serve_reload(struct serve *serve, const struct config *config, struct problem *p) must_use;
/* Tells the audit log that it stays as it is, and why. */
void serve_tell_refused(const struct serve *serve, const char *path, const char *cause);
/* Logs where it listens. */
void serve_log_listeners(const struct serve *serve);
/* Lets requests in flight end, refuses new ones, then stops listening. */
void serve_drain(struct serve *serve);
void serve_close(struct serve *serve);
declare_auto_struct(serve, serve_close);
