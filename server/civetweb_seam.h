/* Seam: what this server needs of a civetweb connection, its own interface's and the few looks
 * inside that the interface does not offer. civetweb_seam.c is the one place that knows civetweb's
 * insides; the version is pinned.
 *
 * A connection is used by the thread that serves it. What is returned is borrowed from it. */
#pragma once

#include "server/request.h"

struct mg_connection;

int seam_fd(const struct mg_connection *conn);
/* The address that the client connected to. */
const struct sockaddr *seam_local(const struct mg_connection *conn);
/* The SSL *, NULL on a plain connection. */
void *seam_ssl(const struct mg_connection *conn);

/* What was received and not yet let go: from the first byte of the request in hand on. */
struct bytes seam_received(const struct mg_connection *conn);
/* Bytes of that which are the request's head; 0: there is no whole head. */
size_t seam_head_length(const struct mg_connection *conn);
/* The head as civetweb read it. headers holds HTTP_HEADERS_MAX. */
void seam_head(struct mg_connection *conn, struct http_header *headers, struct request_head *ret);
/* Whether a head was read of a request that civetweb will give to no handler: its target is "*",
 * or on another server as civetweb sees it. */
bool seam_is_orphan(const struct mg_connection *conn);
/* Wipes what has been received: the buffer is the thread's, and the next connection's. */
void seam_forget(struct mg_connection *conn);
/* Of the content, as Content-Length said it, how much is neither read nor here to be read. SIZE_MAX: it is chunked,
 * and its end has not been found. */
size_t seam_content_outstanding(const struct mg_connection *conn);
/* Chunked content is read as it stands on the wire from now on, by who knows where it ends; and what was read was
 * all. */
void seam_chunked_begin(struct mg_connection *conn);
size_t seam_chunked_end(struct mg_connection *conn);
/* Reads content until n bytes are there. false: it ended, or time did, before. */
bool seam_read(struct mg_connection *conn, void *ret, size_t n) must_use;
bool seam_write(struct mg_connection *conn, struct bytes data) must_use;

/* A connection leaves its thread, to which civetweb then closes nothing: its socket and what TLS has of it. NULL: out
 * of memory, nothing has changed. */
struct seam_seat;
struct seam_seat *seam_leave(struct mg_connection *conn) must_use;
int seam_seat_fd(const struct seam_seat *seat);
/* Lets it wait for a thread, like one that was accepted, or before all others; the caller's until that thread has
 * it. */
void seam_seat_offer(const struct seam_seat *seat, bool first);
/* Whether the connection, new to its thread, has left one before. */
bool seam_had_seat(const struct mg_connection *conn);
/* It has a thread again, which has its socket. Frees the seat; returns the SSL *, NULL on a plain connection, or before
 * there is one. */
void *seam_seat_return(struct seam_seat *seat) must_use;
/* Closes it. */
void seam_seat_end(struct seam_seat *seat);

/* Whether civetweb will keep the connection after this request. */
bool seam_keeps_alive(const struct mg_connection *conn);
void seam_close_after(struct mg_connection *conn);

/* civetweb's own reading of a head alone, for the fuzzer that compares it with head.c. The text is
 * cut up. The head's bytes; 0: it is not whole, or not one to civetweb. */
size_t seam_parse(char *text, size_t len, struct http_header *headers, struct request_head *ret);
