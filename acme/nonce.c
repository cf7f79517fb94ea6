#include "acme/nonce.h"

#include <assert.h>
#include <pthread.h>

#include "base/base64.h"
#include "base/ossl.h"
#include "base/random.h"

enum { PREFIX = 8, BLOCK = 16, KEY = 16 };

struct nonces {
	pthread_mutex_t lock;
	EVP_CIPHER_CTX *encrypt, *decrypt;
	uint64_t next;            /* the counter of the next nonce */
	char prefix[PREFIX + 1];
	uint8_t *used;            /* a bit for each of the last NONCE_WINDOW counters */
};

static EVP_CIPHER_CTX *cipher_new(const uint8_t key[KEY], int encrypt)
{
	auto(EVP_CIPHER_CTX) *ctx = EVP_CIPHER_CTX_new();
	if (!ctx || EVP_CipherInit_ex2(ctx, EVP_aes_128_ecb(), key, NULL, encrypt, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1)
		return NULL;
	return steal(ctx);
}

static bool set_up(struct nonces *n, struct problem *p)
{
	uint8_t key[KEY], node[PREFIX * 3 / 4];
	if (!random_bytes(key, sizeof key, p) || !random_bytes(node, sizeof node, p))
		return false;
	auto_value(buf) prefix = { 0 };
	buf_add_base64url(&prefix, BYTES(node, sizeof node));
	n->encrypt = cipher_new(key, 1);
	n->decrypt = cipher_new(key, 0);
	mem_wipe(key, sizeof key);
	n->used = calloc(NONCE_WINDOW / 8, 1);
	if (!n->encrypt || !n->decrypt || !n->used || !buf_check(&prefix, p))
		return problem_memory(p);
	assert(prefix.len == PREFIX);
	memcpy(n->prefix, prefix.data, PREFIX);
	return true;
}

bool nonces_open(struct nonces **ret, struct problem *p)
{
	auto_struct(nonces) *n = calloc(1, sizeof *n);
	if (!n)
		return problem_memory(p);
	pthread_mutex_init(&n->lock, NULL);
	if (!set_up(n, p))
		return false;
	*ret = steal(n);
	return true;
}

void nonces_close(struct nonces *n)
{
	if (!n)
		return;
	EVP_CIPHER_CTX_free(n->encrypt);
	EVP_CIPHER_CTX_free(n->decrypt);
	pthread_mutex_destroy(&n->lock);
	free(n->used);
	free(n);
}

/* One block through the cipher: a permutation that nobody without the key can guess, so the zeros
 * after the counter are its authentication. */
static void permute(EVP_CIPHER_CTX *ctx, const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
	int len = 0;
	int ok = EVP_CipherUpdate(ctx, out, &len, in, BLOCK);
	assert(ok == 1 && len == BLOCK);
}

static uint8_t *window_byte(struct nonces *n, uint64_t counter)
{
	return &n->used[counter % NONCE_WINDOW / 8];
}

static uint8_t window_bit(uint64_t counter)
{
	return (uint8_t)(1u << counter % 8);
}

void nonce_make(struct nonces *n, char ret[NONCE_SIZE])
{
	uint8_t plain[BLOCK] = { 0 }, block[BLOCK];
	char text[BASE64_SIZE(BLOCK)];
	pthread_mutex_lock(&n->lock);
	uint64_t counter = n->next++;
	memcpy(plain, &counter, sizeof counter);
	*window_byte(n, counter) &= (uint8_t)~window_bit(counter); /* forgets the one a window ago */
	permute(n->encrypt, plain, block);
	pthread_mutex_unlock(&n->lock);
	base64url_encode_to(BYTES(block, sizeof block), text);
	memcpy(ret, n->prefix, PREFIX);
	memcpy(ret + PREFIX, text, NONCE_SIZE - PREFIX);
}

/* With the lock held. */
static bool window_take(struct nonces *n, const uint8_t plain[BLOCK])
{
	static const uint8_t zeros[BLOCK - sizeof(uint64_t)];
	uint64_t counter;
	memcpy(&counter, plain, sizeof counter);
	if (!mem_equal_secret(plain + sizeof counter, zeros, sizeof zeros) || counter >= n->next ||
	    n->next - counter > NONCE_WINDOW || *window_byte(n, counter) & window_bit(counter))
		return false;
	*window_byte(n, counter) |= window_bit(counter);
	return true;
}

bool nonce_use(struct nonces *n, const char *text)
{
	uint8_t plain[BLOCK], block[BLOCK];
	if (strlen(text) != NONCE_SIZE - 1 || !str_starts(text, n->prefix) ||
	    !base64url_decode_to(text + PREFIX, NONCE_SIZE - 1 - PREFIX, block))
		return false;
	pthread_mutex_lock(&n->lock);
	permute(n->decrypt, block, plain);
	bool fresh = window_take(n, plain);
	pthread_mutex_unlock(&n->lock);
	return fresh;
}
