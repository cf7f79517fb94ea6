#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "server/commands.h"
#include "server/notify.h"
#include "server/serve.h"

static void reload(struct serve *serve, const char *path)
{
	auto_struct(config) *config = NULL;
	auto_value(problem) p = {0};
	notify_reloading();
	if (config_load(path, &config, &p) && serve_reload(serve, config, &p)) {
		log_event(LOG_LEVEL_INFO, "reloaded", "config", config->path, NULL);
	} else {
		log_event(LOG_LEVEL_ERROR, "reload refused", "cause", problem_cause(&p), NULL);
		serve_tell_refused(serve, path ?: CONFIG_PATH, problem_cause(&p));
	}
	notify("READY=1");
}

/* All threads are born with these blocked, so that they come here alone. */
static sigset_t block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return set;
}

/* The next of them ends the process at once. */
static void end_on_next_signal(void)
{
	sigset_t set;
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void wait_for_end(struct serve *serve, const sigset_t *signals, const char *config_path)
{
	for (;;) {
		siginfo_t info;
		int number = sigwaitinfo(signals, &info);
		if (number == SIGHUP)
			reload(serve, config_path);
		else if (number == SIGTERM || number == SIGINT)
			return;
	}
}

/* A folder that has everything is what is wanted here. */
static bool complete(const struct config *config, struct problem *p)
{
	auto_value(strings) profiles = {0};
	struct admin_init_result made;
	struct admin admin;
	return commands_admin(config, &profiles, &admin, p) &&
	       (admin_init(&admin, &made, p) || problem_forgive(p, PROBLEM_CONFLICT));
}

static void log_ready(int64_t began)
{
	char ms[24];
	snprintf(ms, sizeof ms, "%lld", (long long)(clock_monotonic_ms() - began));
	log_event(LOG_LEVEL_INFO, "ready", "version", ENROLLD_VERSION, "start_ms", ms, NULL);
}

static bool run(struct command_call *call, struct problem *p)
{
	int64_t began = clock_monotonic_ms();
	auto_struct(config) *config = NULL;
	auto_struct(serve) *serve = NULL;
	sigset_t signals = block_signals();
	if (!config_load(call->config, &config, p))
		return false;
	log_setup(config->log.level, config->log.format);
	if (command_value(call, "--init") && !complete(config, p))
		return false;
	if (!serve_open(&config, &serve, p))
		return false;
	serve_log_listeners(serve);
	log_ready(began);
	notify("READY=1");
	wait_for_end(serve, &signals, call->config);
	log_event(LOG_LEVEL_INFO, "ending", NULL);
	notify("STOPPING=1");
	end_on_next_signal();
	serve_drain(serve);
	return true;
}

static const struct command_option options[] = {
	{ "--init", NULL, "make the CA and the store first when they are missing" },
	{ 0 },
};
const struct command server_serve_command = {
	.name = "serve", .args = "", .options = options, .run = run,
	.summary = "run the server, in the foreground",
	.details =
		"SIGTERM and SIGINT let requests in flight end and then end the server; a second one ends it at "
		"once.\n"
		"SIGHUP reads the configuration again. Lines of log go to standard error.",
};
