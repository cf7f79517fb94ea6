#include "ca/pkcs11_session.h"

#include <dlfcn.h>
#include <pthread.h>

#include "base/clock.h"
#include "ca/pkcs11.h"

enum { SLOTS_MAX = 64, RESTART_PAUSE = 3000 }; /* ms */

static struct module {
	pthread_rwlock_t lock;       /* read: functions are called; write: they come or go */
	char *path, *folder;
	char *file, *environment, *credential; /* sources of the PIN */
	struct buf pin;
	CK_FUNCTION_LIST *functions; /* NULL: not loaded */
	bool initialized;
	unsigned generation;
	int64_t restarted_ms;
} module = { .lock = PTHREAD_RWLOCK_INITIALIZER };

static const struct {
	CK_RV result;
	const char *name;
	bool lost;
} results[] = {
	{ CKR_OK, "CKR_OK", false },
	{ CKR_HOST_MEMORY, "CKR_HOST_MEMORY", false },
	{ CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", true },
	{ CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", true },
	{ CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", true },
	{ CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", false },
	{ CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", true },
	{ CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", true },
	{ CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", true },
	{ CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED", false },
	{ CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT", false },
	{ CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID", false },
	{ CKR_OPERATION_NOT_INITIALIZED, "CKR_OPERATION_NOT_INITIALIZED", true },
	{ CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", false },
	{ CKR_PIN_LOCKED, "CKR_PIN_LOCKED", false },
	{ CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", false },
	{ CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", true },
	{ CKR_SESSION_COUNT, "CKR_SESSION_COUNT", false },
	{ CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID", true },
	{ CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", true },
	{ CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", true },
	{ CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", true },
	{ CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", true },
	{ CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED", true },
};

const char *pkcs11_result_name(CK_RV result)
{
	for (size_t i = 0; i < array_length(results); i++)
		if (results[i].result == result)
			return results[i].name;
	return "an error of its own";
}

bool pkcs11_is_lost(CK_RV result)
{
	for (size_t i = 0; i < array_length(results); i++)
		if (results[i].result == result)
			return results[i].lost;
	return true;
}

/* --- the module */

static bool same_text(const char *a, const char *b)
{
	return a && b ? str_equal(a, b) : a == b;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

bool pkcs11_configure(const char *path, const struct secret_source *pin, const char *folder, struct problem *p)
{
	bool same = true;

	pthread_rwlock_wrlock(&module.lock);
	if (module.path)
		same = same_text(module.path, path) && same_text(module.file, pin->file) &&
		       same_text(module.environment, pin->environment) && same_text(module.credential, pin->credential);
	else if (path) {
		module.path = copy(path);
		module.folder = copy(folder);
		module.file = copy(pin->file);
		module.environment = copy(pin->environment);
		module.credential = copy(pin->credential);
	}
	pthread_rwlock_unlock(&module.lock);
	return same || problem_set(p, PROBLEM_CONFLICT, "ca.pkcs11: another module or PIN takes a restart");
}

static bool pin_read(struct problem *p)
{
	auto_free char *usual = mem_printf("%s/pin", module.folder);
	struct secret_source source = { module.file, module.environment, module.credential };

	if (!usual)
		return problem_memory(p);
	if (!source.file && !source.environment && !source.credential)
		source.file = usual;
	return module.pin.len > 0 || secret_read(&source, module.folder, &module.pin, p);
}

static bool module_load(struct problem *p)
{
	CK_C_GetFunctionList list = NULL;

	if (!module.path)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "a CA's key is in a token, and the configuration has no `ca.pkcs11.module`");
	void *handle = module.functions ? NULL : dlopen(module.path, RTLD_NOW | RTLD_LOCAL);
	if (!module.functions && !handle)
		return problem_set(p, PROBLEM_UNAVAILABLE, "ca.pkcs11.module: %s", dlerror());
	if (!module.functions) {
		/* What dlsym returns is a function by POSIX alone. */
		*(void **)(void *)&list = dlsym(handle, "C_GetFunctionList");
		if (!list || list(&module.functions) != CKR_OK) {
			module.functions = NULL;
			return problem_set(p, PROBLEM_UNAVAILABLE, "ca.pkcs11.module: %s is no PKCS#11 module",
			                   module.path);
		}
	}
	return pin_read(p);
}

static bool module_begin(struct problem *p)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };

	if (!module_load(p))
		return false;
	CK_RV result = module.functions->C_Initialize(&args);
	if (result != CKR_OK && result != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return problem_unavailable(p, 10, "the PKCS#11 module %s cannot be initialized: %s", module.path,
		                           pkcs11_result_name(result));
	module.initialized = true;
	module.generation++;
	return true;
}

bool pkcs11_enter(CK_FUNCTION_LIST **ret, struct problem *p)
{
	pthread_rwlock_rdlock(&module.lock);
	if (!module.initialized) {
		pthread_rwlock_unlock(&module.lock);
		pthread_rwlock_wrlock(&module.lock);
		bool begun = module.initialized || module_begin(p);
		pthread_rwlock_unlock(&module.lock);
		if (!begun)
			return false;
		pthread_rwlock_rdlock(&module.lock);
	}
	*ret = module.functions;
	return true;
}

void pkcs11_leave(void)
{
	pthread_rwlock_unlock(&module.lock);
}

void pkcs11_restart(void)
{
	int64_t now = clock_monotonic_ms();

	pthread_rwlock_wrlock(&module.lock);
	if (module.initialized && now >= module.restarted_ms + RESTART_PAUSE) {
		module.functions->C_Finalize(NULL);
		module.initialized = false;
		module.restarted_ms = now;
	}
	pthread_rwlock_unlock(&module.lock);
}

/* --- tokens: texts of fixed size, padded with spaces */

static bool fits(const char *want, const CK_UTF8CHAR *have, size_t size)
{
	while (size > 0 && have[size - 1] == ' ')
		size--;
	return !want || (strlen(want) == size && memcmp(want, have, size) == 0);
}

static bool is_token(CK_SLOT_ID slot, const struct pkcs11_uri *uri)
{
	CK_TOKEN_INFO info;

	if ((uri->has_slot && uri->slot != slot) || module.functions->C_GetTokenInfo(slot, &info) != CKR_OK)
		return false;
	return fits(uri->token, info.label, sizeof(info.label)) &&
	       fits(uri->serial, info.serialNumber, sizeof(info.serialNumber)) &&
	       fits(uri->manufacturer, info.manufacturerID, sizeof(info.manufacturerID)) &&
	       fits(uri->model, info.model, sizeof(info.model)) && (info.flags & CKF_TOKEN_INITIALIZED);
}

static bool find_slot(const struct pkcs11_uri *uri, CK_SLOT_ID *ret, struct problem *p)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX, found = 0;
	CK_RV result = module.functions->C_GetSlotList(CK_TRUE, slots, &count);

	if (result != CKR_OK)
		return problem_unavailable(p, 10, "the PKCS#11 module lists no tokens: %s", pkcs11_result_name(result));
	for (CK_ULONG i = 0; i < count; i++)
		if (is_token(slots[i], uri) && found++ == 0)
			*ret = slots[i];
	if (found == 1)
		return true;
	return problem_unavailable(p, 10, "PKCS#11: %s token \"%s\" is present", found ? "more than one" : "no",
	                           uri->token ?: uri->serial ?: "of that slot");
}

/* A login counts for all sessions of the process with the token. */
static bool log_in(CK_SESSION_HANDLE session, struct problem *p)
{
	CK_RV result = module.functions->C_Login(session, CKU_USER, module.pin.data, module.pin.len);

	if (result == CKR_OK || result == CKR_USER_ALREADY_LOGGED_IN)
		return true;
	if (pkcs11_is_lost(result))
		return problem_unavailable(p, 10, "the PKCS#11 token takes no login: %s", pkcs11_result_name(result));
	return problem_set(p, PROBLEM_UNAUTHORIZED, "the PKCS#11 token refuses the PIN: %s",
	                   pkcs11_result_name(result));
}

/* --- objects */

bool pkcs11_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const struct pkcs11_uri *uri, CK_OBJECT_HANDLE *ret,
                 struct problem *p)
{
	CK_ATTRIBUTE wanted[3] = { { CKA_CLASS, &class, sizeof(class) } };
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n = 1, count = 0;

	if (uri->object)
		wanted[n++] = (CK_ATTRIBUTE){ CKA_LABEL, uri->object, strlen(uri->object) };
	if (uri->id.len > 0)
		wanted[n++] = (CK_ATTRIBUTE){ CKA_ID, uri->id.data, uri->id.len };
	CK_RV result = module.functions->C_FindObjectsInit(session, wanted, n);
	if (result == CKR_OK) {
		result = module.functions->C_FindObjects(session, found, 2, &count);
		module.functions->C_FindObjectsFinal(session);
	}
	if (result != CKR_OK)
		return problem_unavailable(p, 10, "the PKCS#11 token cannot be searched: %s",
		                           pkcs11_result_name(result));
	if (count != 1)
		return problem_set(p, count ? PROBLEM_CONFLICT : PROBLEM_NOT_FOUND,
		                   "the PKCS#11 token has %s %s key \"%s\"", count ? "more than one" : "no",
		                   class == CKO_PRIVATE_KEY ? "private" : "public", uri->object ?: "of that id");
	*ret = found[0];
	return true;
}

bool pkcs11_session_begin(const struct pkcs11_uri *uri, CK_FLAGS flags, struct pkcs11_session *ret, struct problem *p)
{
	struct pkcs11_session session = { .generation = module.generation };
	CK_SLOT_ID slot;

	if (!find_slot(uri, &slot, p))
		return false;
	CK_RV result = module.functions->C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &session.handle);
	if (result != CKR_OK)
		return problem_unavailable(p, 10, "the PKCS#11 token opens no session: %s", pkcs11_result_name(result));
	if (!log_in(session.handle, p)) {
		pkcs11_session_close(&session);
		return false;
	}
	*ret = session;
	return true;
}

bool pkcs11_session_open(const struct pkcs11_uri *uri, struct pkcs11_session *ret, struct problem *p)
{
	struct pkcs11_session session;

	if (!pkcs11_session_begin(uri, 0, &session, p))
		return false;
	if (!pkcs11_find(session.handle, CKO_PRIVATE_KEY, uri, &session.object, p)) {
		pkcs11_session_close(&session);
		return false;
	}
	*ret = session;
	return true;
}

void pkcs11_session_close(const struct pkcs11_session *session)
{
	if (!pkcs11_session_is_old(session))
		module.functions->C_CloseSession(session->handle);
}

bool pkcs11_session_is_old(const struct pkcs11_session *session)
{
	return session->generation != module.generation;
}
