/* Trust device: what a manufacturer's certificate says of its device (IEEE 802.1AR, 8). Internal to policy/. */
#pragma once

#include "policy/trust.h"

/* UNAUTHENTICATED where it names no device. */
bool trust_device_read(X509 *certificate, struct trust_device *ret, struct problem *p) must_use;
