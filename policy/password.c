#include "policy/password.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/ossl.h"
#include "policy/enrollment_code.h"

enum { LOG_N = 15, LOG_N_MAX = 20, R = 8, P = 1, MEMORY_MAX = 64 * 1024 * 1024 };

/* --- no more at once than this */

enum { RUNNING_MAX = 2, WAITING_MAX = 6, WAIT_MS = 1500 };

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t free;
	unsigned running, waiting;
} room = { .mutex = PTHREAD_MUTEX_INITIALIZER, .free = PTHREAD_COND_INITIALIZER };

static bool room_enter(struct problem *p)
{
	const struct timespec end = clock_until(WAIT_MS);
	bool late = false;

	pthread_mutex_lock(&room.mutex);
	bool full = room.running >= RUNNING_MAX && room.waiting >= WAITING_MAX;
	room.waiting += !full;
	while (!full && !late && room.running >= RUNNING_MAX)
		late = pthread_cond_clockwait(&room.free, &room.mutex, CLOCK_MONOTONIC, &end) != 0;
	room.waiting -= !full;
	bool entered = !full && room.running < RUNNING_MAX;
	room.running += entered;
	pthread_mutex_unlock(&room.mutex);
	return entered || problem_unavailable(p, 2, "too many passwords are being checked");
}

static void room_leave(void)
{
	pthread_mutex_lock(&room.mutex);
	room.running--;
	pthread_cond_signal(&room.free);
	pthread_mutex_unlock(&room.mutex);
}

/* --- the hashes */

static bool derive(const char *password, const uint8_t salt[PASSWORD_SALT_SIZE], uint8_t ret[SHA256_SIZE],
                   struct problem *p)
{
	if (salt[0] > LOG_N_MAX)
		return problem_internal(p, "a password's cost is out of range");
	if (!room_enter(p))
		return false;
	int done = EVP_PBE_scrypt(password, strlen(password), salt + 3, PASSWORD_SALT_SIZE - 3, 1ull << salt[0],
	                          salt[1], salt[2], MEMORY_MAX, ret, SHA256_SIZE);
	room_leave();
	return done == 1 || problem_openssl(p, "scrypt");
}

bool password_keep(const char *password, uint8_t ret_salt[PASSWORD_SALT_SIZE], uint8_t ret_hash[SHA256_SIZE],
                   struct problem *p)
{
	ret_salt[0] = LOG_N;
	ret_salt[1] = R;
	ret_salt[2] = P;
	return random_bytes(ret_salt + 3, PASSWORD_SALT_SIZE - 3, p) && derive(password, ret_salt, ret_hash, p);
}

static void keyed(const struct store *store, const char *context, const char *user, const char *secret,
                  uint8_t ret[SHA256_SIZE])
{
	uint8_t key[32];
	auto_value(buf) text = {0};

	buf_printf(&text, "%zu:%s:%s", strlen(user), user, secret);
	seal_derive(store_seal(store), context, key);
	digest_hmac(256, BYTES(key, sizeof(key)), text.failed ? BYTES("", 0) : buf_bytes(&text), ret);
	if (text.failed) /* equals nothing that was kept */
		memset(ret, 0, SHA256_SIZE);
	mem_wipe(key, sizeof(key));
}

void password_keep_secret(const struct store *store, const char *user, const char *secret,
                          uint8_t ret_hash[SHA256_SIZE])
{
	keyed(store, "enrollment secret", user, secret, ret_hash);
}

enum { HEX_SIZE = 2 * SHA256_SIZE + 1 };

/* H of RFC 7616, 3.3. MD5 is what RFC 2617's clients speak; it is no secret's only guard here, as TLS is below it. */
static bool hex_digest(const struct buf *text, bool sha256, char ret[HEX_SIZE])
{
	auto_value(buf) hex = {0};
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (text->failed || EVP_Digest(text->data, text->len, hash, &len, sha256 ? EVP_sha256() : EVP_md5(), NULL) != 1)
		return false;
	buf_add_hex(&hex, BYTES(hash, len));
	mem_wipe(hash, sizeof(hash));
	if (hex.failed || hex.len >= HEX_SIZE)
		return false;
	strcpy(ret, buf_text(&hex));
	return true;
}

static bool ha1_make(const char *user, const char *password, bool sha256, char ret[HEX_SIZE])
{
	auto_value(buf) text = {0};

	buf_printf(&text, "%s:" PASSWORD_REALM ":%s", user, password);
	return hex_digest(&text, sha256, ret);
}

static const char *digest_context(bool sha256)
{
	return sha256 ? "enrollment digest sha-256" : "enrollment digest md5";
}

bool password_keep_digest(const struct store *store, const char *user, const char *password, bool sha256,
                          struct buf *ret, struct problem *p)
{
	char ha1[HEX_SIZE] = "";

	bool kept = ha1_make(user, password, sha256, ha1)
	                    ? seal_close(store_seal(store), digest_context(sha256), BYTES_STR(ha1), ret, p)
	                    : problem_openssl(p, "a digest");
	mem_wipe(ha1, sizeof(ha1));
	return kept;
}

/* --- the check */

struct looking {
	const char *user;
	struct enrollment *ret;
};

static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct looking *l = arg;

	return store_enrollment_by_user(txn, l->user, l->ret, p);
}

/* ret->id is "" where there is none. */
static bool find(struct store *store, const char *user, struct enrollment *ret, struct problem *p)
{
	return store_view(store, look, &(struct looking){ user, ret }, p) || problem_forgive(p, PROBLEM_NOT_FOUND);
}

static bool unknown(struct problem *p)
{
	return problem_set(p, PROBLEM_UNAUTHENTICATED, "there is no such user, or the password is another one");
}

static bool fits_secret(const struct store *store, const char *user, const char *secret, const struct enrollment *e)
{
	uint8_t hash[SHA256_SIZE];

	password_keep_secret(store, user, secret, hash);
	return e->id[0] && e->kind == ENROLLMENT_SECRET && e->hash.len == SHA256_SIZE &&
	       mem_equal_secret(hash, e->hash.data, SHA256_SIZE);
}

/* What is no password's is computed all the same, so that time tells nothing. */
static bool fits_password(const char *password, const struct enrollment *e, bool *ret, struct problem *p)
{
	static const uint8_t nobody[PASSWORD_SALT_SIZE] = { LOG_N, R, P };
	bool some = e->id[0] && e->kind == ENROLLMENT_PASSWORD && e->salt.len == PASSWORD_SALT_SIZE &&
	            e->hash.len == SHA256_SIZE;
	uint8_t hash[SHA256_SIZE];

	if (!derive(password, some ? e->salt.data : nobody, hash, p))
		return false;
	*ret = some && mem_equal_secret(hash, e->hash.data, SHA256_SIZE);
	mem_wipe(hash, sizeof(hash));
	return true;
}

bool password_check(struct store *store, const char *user, const char *password, int64_t now, struct enrollment *ret,
                    struct problem *p)
{
	auto_value(enrollment) found = {0};
	bool fits = false;

	if (strlen(password) > PASSWORD_MAX)
		return unknown(p);
	if (!find(store, user, &found, p))
		return false;
	if (!(fits = fits_secret(store, user, password, &found)) && !fits_password(password, &found, &fits, p))
		return false;
	if (!fits)
		return unknown(p);
	if (!enrollment_code_good(&found, now, p))
		return false;
	*ret = found;
	found = (struct enrollment){0};
	return true;
}

bool password_check_secret(struct store *store, const char *user, const char *secret, int64_t now,
                           struct enrollment *ret, struct problem *p)
{
	auto_value(enrollment) found = {0};

	if (!find(store, user, &found, p) || !fits_secret(store, user, secret, &found) ||
	    !enrollment_code_good(&found, now, p))
		return false;
	*ret = found;
	found = (struct enrollment){0};
	return true;
}

/* The user's HA1; of nobody, one that nobody is known by. */
static bool ha1_find(struct store *store, const struct password_claim *claim, int64_t now, struct enrollment *ret,
                     char ret_ha1[HEX_SIZE], struct problem *p)
{
	auto_value(buf) plain = {0};
	auto_value(problem) ignored = {0};

	if (!find(store, claim->user, ret, p))
		return false;
	struct bytes sealed = claim->sha256 ? ret->digest_sha256 : ret->digest_md5;
	bool known = ret->id[0] && sealed.len > 0 && enrollment_code_good(ret, now, &ignored) &&
	             seal_reveal(store_seal(store), digest_context(claim->sha256), sealed, &plain) &&
	             plain.len < HEX_SIZE;
	strcpy(ret_ha1, known ? buf_text(&plain) : "");
	return true;
}

/* RFC 7616, 3.4.1: H(HA1 ":" nonce ":" nc ":" cnonce ":" "auth" ":" H(method ":" uri)) */
static bool response_make(const struct password_claim *claim, const char *ha1, char ret[HEX_SIZE])
{
	auto_value(buf) ha2_text = {0}, text = {0};
	char ha2[HEX_SIZE];

	buf_printf(&ha2_text, "%s:%s", claim->method, claim->uri);
	if (!hex_digest(&ha2_text, claim->sha256, ha2))
		return false;
	buf_printf(&text, "%s:%s:%s:%s:auth:%s", ha1, claim->nonce, claim->nc, claim->cnonce, ha2);
	return hex_digest(&text, claim->sha256, ret);
}

bool password_check_digest(struct store *store, const struct password_claim *claim, int64_t now, struct enrollment *ret,
                           struct problem *p)
{
	auto_value(enrollment) found = {0};
	char ha1[HEX_SIZE] = "", want[HEX_SIZE] = "";

	if (!ha1_find(store, claim, now, &found, ha1, p))
		return false;
	bool made = response_make(claim, ha1, want);
	bool fits = made && ha1[0] && strlen(claim->response) == strlen(want) &&
	            mem_equal_secret(claim->response, want, strlen(want));
	mem_wipe(ha1, sizeof(ha1));
	mem_wipe(want, sizeof(want));
	if (!fits)
		return made ? unknown(p) : problem_openssl(p, "a digest");
	*ret = found;
	found = (struct enrollment){0};
	return true;
}
