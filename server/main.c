#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/ossl.h"
#include "server/commands.h"

enum { EXIT_GOOD, EXIT_REFUSED, EXIT_USAGE };

static const struct command *const commands[] = {
	&admin_init_command,
	&server_serve_command,
	&server_check_config_command,
	&server_profile_list,
	&server_profile_show,
	&server_policy_list,
	&server_policy_show,
	&server_policy_test,
	&admin_ca_list,
	&admin_ca_show,
	&admin_ca_import,
	&admin_ca_csr,
	&admin_ca_install,
	&admin_ca_renew,
	&admin_ca_rekey,
	&admin_ca_rollover,
	&admin_ca_disable,
	&admin_ca_enable,
	&admin_ca_crl,
	&admin_ca_revoke,
	&admin_cert_list,
	&admin_cert_show,
	&admin_cert_issue,
	&admin_cert_renew,
	&admin_cert_import,
	&admin_cert_export,
	&admin_cert_metadata,
	&admin_cert_delete,
	&admin_cert_revoke,
	&admin_cert_release,
	&admin_cert_renewal,
	&admin_cert_renewals,
	&admin_cert_key,
	&admin_key_forget,
	&admin_key_reseal,
	&admin_account_list,
	&admin_account_show,
	&admin_account_limit,
	&admin_account_deactivate,
	&admin_order_list,
	&admin_order_show,
	&admin_order_cancel,
	&admin_eab_create,
	&admin_eab_list,
	&admin_eab_show,
	&admin_eab_revoke,
	&admin_est_credential_create,
	&admin_est_credential_list,
	&admin_est_credential_revoke,
	&admin_est_credential_import,
	&admin_renew_now,
	&admin_request_list,
	&admin_request_show,
	&admin_request_approve,
	&admin_request_reject,
	&admin_request_cancel,
	&admin_request_collect,
	&admin_token_create,
	&admin_token_list,
	&admin_token_revoke,
	&admin_webhook_create,
	&admin_webhook_change,
	&admin_webhook_list,
	&admin_webhook_test,
	&admin_webhook_resume,
	&admin_webhook_revoke,
	&admin_audit_list,
	&admin_audit_verify,
	&admin_audit_export,
	&admin_backup_command,
	&server_routes_command,
	&admin_version_command,
	NULL,
};

/* LeakSanitizer attaches to the process. */
#ifdef __has_feature
enum { DUMPABLE = __has_feature(address_sanitizer) };
#else
enum { DUMPABLE = 0 };
#endif

enum { FILES_MAX = 65536 }; /* the usual soft limit of 1024 is for programs with select(2) */

/* Keys live in this process: no core file, no debugger of the same user, no file that others can
 * read. Two malloc arenas instead of eight a core keep the memory of many threads small. */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;
	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	prctl(PR_SET_DUMPABLE, DUMPABLE);
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	signal(SIGPIPE, SIG_IGN);
	ossl_begin();
}

static bool run(struct command_call *call, struct problem *p)
{
	auto_struct(config) *config = NULL;
	auto_value(strings) profiles = {0};
	struct admin admin;
	if (!call->command->admin)
		return call->command->run(call, p);
	if (!config_load(call->config, &config, p) || !commands_admin(config, &profiles, &admin, p))
		return false;
	call->admin = &admin;
	return call->command->run(call, p);
}

int main(int argc, char **argv)
{
	static char version[] = "version";
	struct command_call call;
	auto_value(problem) p = {0};
	harden();
	if (argc < 2) {
		command_print_list(commands, stderr);
		return EXIT_USAGE;
	}
	if (command_help(commands, argc, argv, stdout))
		return EXIT_GOOD;
	if (str_equal(argv[1], "--version") || str_equal(argv[1], "-V"))
		argv[1] = version;
	if (!command_parse(commands, argc, argv, &call, &p)) {
		fprintf(stderr, "enrolld: %s; `enrolld %s%s--help` tells more\n", p.detail,
		        call.command ? call.command->name : "", call.command ? " " : "");
		return EXIT_USAGE;
	}
	if (run(&call, &p) && fflush(call.out) == 0 && !ferror(call.out))
		return EXIT_GOOD;
	fprintf(stderr, "%senrolld: %s\n", log_priority(LOG_LEVEL_ERROR),
	        *problem_cause(&p) ? problem_cause(&p) : "cannot write the result");
	return EXIT_REFUSED;
}
