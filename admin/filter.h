/* Filter: what certificates a command or a request means, in words, as a query of the search. Internal to
 * admin/. */
#pragma once

#include "admin/command.h"
#include "admin/search.h"

/* The rows of the options that say it; each is a key of filter_read as well, without the dashes. */
#define FILTER_OPTIONS                                                                                          \
	{ "--name", "[TYPE:]NAME", "of this name, such as www.example.com or ip:192.0.2.1" },                   \
	{ "--serial", "HEX", "of this serial number" },                                                         \
	{ "--fingerprint", "HEX", "of this SHA-256 fingerprint" },                                              \
	{ "--key", "HEX", "of this public key (SHA-256 of its SubjectPublicKeyInfo)" },                         \
	{ "--account", "ID", "of this ACME account" },                                                          \
	{ "--profile", "NAME", "of this profile" },                                                             \
	{ "--issuer", "NAME", "signed by this issuing CA" },                                                    \
	{ "--method", "METHOD", "that came over acme, est, api, internal or import" },                          \
	{ "--identity", "TEXT", "of who asked for it, as `cert show` says it" },                                \
	{ "--metadata", "KEY=VALUE", "with this of its metadata" },                                             \
	{ "--status", "STATUS", "valid, expiring (within 30d, not renewed), expired, revoked or renewed" },     \
	{ "--issued-after", "TIME|DURATION", "not before that time (RFC 3339), or within the last 30d" },       \
	{ "--issued-before", "TIME|DURATION", "by that time, or longer than 30d ago" },                         \
	{ "--expires-after", "TIME|DURATION", "not before that time (RFC 3339), or not within 30d" },           \
	{ "--expires-before", "TIME|DURATION", "by that time, or within 30d" }

struct filter {
	struct search_query query;       /* points into the texts that were read, and into the rest */
	struct buf name_type, serial, fingerprint, key_hash;
};
void filter_free(struct filter *filter);
declare_auto_value(filter, filter_free);

/* The text of a key, "expires-after"; NULL: not given. */
typedef const char *filter_value(const void *arg, const char *key);
/* Reads all keys; query.now is set before. prefix stands before the key in refusals: "--", or "". MALFORMED. */
bool filter_read(struct filter *filter, filter_value *value, const void *arg, const char *prefix, struct problem *p)
	must_use;
/* The value of a command's option. arg is the command_call. */
const char *filter_option(const void *call, const char *key);
