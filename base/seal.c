#include "base/seal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/ossl.h"
#include "base/random.h"

enum { KEY_SIZE = 32, IV_SIZE = 12, TAG_SIZE = 16 };

struct seal {
	uint8_t key[KEY_SIZE];
};

static EVP_CIPHER *cipher;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void setup(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	assert(cipher);
}

bool seal_new(const uint8_t key[32], struct seal **ret, struct problem *p)
{
	struct seal *s = malloc(sizeof(*s));

	pthread_once(&once, setup);
	if (!s)
		return problem_memory(p);
	memcpy(s->key, key, KEY_SIZE);
	*ret = s;
	return true;
}

void seal_free(struct seal *s)
{
	if (s)
		mem_wipe(s, sizeof(*s));
	free(s);
}

static bool encrypt(const struct seal *s, const char *context, struct bytes plain, const uint8_t *iv,
                    uint8_t *ret)
{
	auto(EVP_CIPHER_CTX) *ctx = EVP_CIPHER_CTX_new();
	uint8_t *tag = ret + plain.len;
	int n;

	return ctx && EVP_EncryptInit_ex2(ctx, cipher, s->key, iv, NULL) &&
	       EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)context, (int)strlen(context)) &&
	       (plain.len == 0 || EVP_EncryptUpdate(ctx, ret, &n, plain.data, (int)plain.len)) &&
	       EVP_EncryptFinal_ex(ctx, tag, &n) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag);
}

bool seal_close(const struct seal *s, const char *context, struct bytes plain, struct buf *ret,
                struct problem *p)
{
	size_t begin = ret->len;
	uint8_t iv[IV_SIZE];

	assert(plain.len < BUF_MAX && strlen(context) < INT_MAX);
	if (!random_bytes(iv, sizeof(iv), p))
		return false;
	uint8_t *to = buf_extend(ret, IV_SIZE + plain.len + TAG_SIZE);
	if (!to)
		return problem_memory(p);
	memcpy(to, iv, IV_SIZE);
	if (encrypt(s, context, plain, iv, to + IV_SIZE))
		return true;
	buf_shorten(ret, begin);
	return problem_openssl(p, "sealing");
}

static bool decrypt(const struct seal *s, const char *context, struct bytes text, const uint8_t *iv,
                    uint8_t *ret)
{
	auto(EVP_CIPHER_CTX) *ctx = EVP_CIPHER_CTX_new();
	uint8_t tag[TAG_SIZE];
	int n;

	memcpy(tag, text.data + text.len, TAG_SIZE);
	return ctx && EVP_DecryptInit_ex2(ctx, cipher, s->key, iv, NULL) &&
	       EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)context, (int)strlen(context)) &&
	       (text.len == 0 || EVP_DecryptUpdate(ctx, ret, &n, text.data, (int)text.len)) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) &&
	       EVP_DecryptFinal_ex(ctx, ret + text.len, &n) == 1;
}

/* Unauthenticated plain text is wiped before anybody can see it. */
bool seal_reveal(const struct seal *s, const char *context, struct bytes sealed, struct buf *ret)
{
	assert(strlen(context) < INT_MAX);
	if (sealed.len < IV_SIZE + TAG_SIZE || sealed.len > BUF_MAX)
		return false;
	struct bytes text = BYTES(sealed.data + IV_SIZE, sealed.len - IV_SIZE - TAG_SIZE);
	uint8_t *to = buf_extend(ret, text.len);
	if (!to)
		return false;
	if (decrypt(s, context, text, sealed.data, to))
		return true;
	mem_wipe(to, text.len);
	buf_shorten(ret, ret->len - text.len);
	return false;
}

void seal_derive(const struct seal *s, const char *context, uint8_t ret[32])
{
	digest_hmac(256, BYTES(s->key, KEY_SIZE), BYTES_STR(context), ret);
}

/* The key appears under its name whole and durable, or not at all. Of several makers one wins, and
 * all read its key. */
static bool key_make(const char *path, struct problem *p)
{
	uint8_t key[KEY_SIZE];

	if (!random_bytes(key, sizeof(key), p))
		return false;
	bool made = file_write_new(path, BYTES(key, sizeof(key)), 0600, p);
	mem_wipe(key, sizeof(key));
	return made || problem_forgive(p, PROBLEM_CONFLICT);
}

/* Group bits are let pass: Kubernetes sets them on every file of a volume that has an fsGroup. */
static bool key_guarded(int fd, const char *path, struct problem *p)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return problem_internal(p, "%s: %m", path);
	if (!S_ISREG(st.st_mode))
		return problem_internal(p, "%s: not a regular file", path);
	if (st.st_mode & S_IRWXO)
		return problem_internal(p, "%s: mode %04o lets everybody at the key", path,
		                        (unsigned)st.st_mode & 07777);
	return true;
}

static bool key_read(int fd, const char *path, struct seal **ret, struct problem *p)
{
	uint8_t key[KEY_SIZE + 1];
	bool done = false;

	if (!key_guarded(fd, path, p))
		return false;
	ssize_t n = read(fd, key, sizeof(key));
	if (n < 0)
		problem_internal(p, "%s: %m", path);
	else if (n != KEY_SIZE)
		problem_internal(p, "%s: a key of %d bytes is wanted", path, KEY_SIZE);
	else
		done = seal_new(key, ret, p);
	mem_wipe(key, sizeof(key));
	return done;
}

bool seal_open_file(const char *path, struct seal **ret, struct problem *p)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0)
			return key_read(fd, path, ret, p);
		if (errno != ENOENT)
			return file_denied(path, PROBLEM_INTERNAL, p);
		if (!key_make(path, p))
			return false;
	}
	return problem_internal(p, "%s: cannot be opened", path);
}
