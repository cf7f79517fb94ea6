/* Load generator: N clients issue certificates over real ACME, TLS and http-01, and every
 * certificate is verified. Prints one JSON line: rate, times, and the server's CPU and memory.
 *
 *   bench_acme DIRECTORY TLS_CA ROOT|- HTTP_PORT DNS_PORT|0 CLIENTS COUNT SERVER_PID [TAG [polls]]    */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/acme_client.h"
#include "tests/bench/process.h"
#include "tests/bench/responder.h"

static struct {
	const char *directory, *tls_ca, *root, *tag;
	unsigned clients, count;
	bool polls;
	atomic_uint next, requests;
	double *ms;
	pthread_barrier_t start;
} bench;

static void *client_run(void *arg)
{
	(void)arg;
	struct acme_client *client = acme_client_new(bench.directory, bench.tls_ca, bench.root, bench.polls);
	pthread_barrier_wait(&bench.start);
	for (unsigned i; (i = atomic_fetch_add(&bench.next, 1)) < bench.count;) {
		char name[128];
		snprintf(name, sizeof name, "n%u.%s.bench.example.com", i, bench.tag);
		double began = process_now_ms();
		atomic_fetch_add(&bench.requests, acme_client_issue(client, name));
		bench.ms[i] = process_now_ms() - began;
	}
	acme_client_free(client);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void report(double wall_ms, double cpu, int pid)
{
	qsort(bench.ms, bench.count, sizeof *bench.ms, by_value);
	printf("{\"clients\":%u,\"count\":%u,\"per_second\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"cpu_ms\":%.3f,"
	       "\"requests\":%.2f,\"rss_mb\":%.1f}\n", bench.clients, bench.count, bench.count * 1000.0 / wall_ms,
	       bench.ms[bench.count / 2], bench.ms[bench.count * 99 / 100], cpu / bench.count,
	       (double)atomic_load(&bench.requests) / bench.count, process_rss_mb(pid, "VmRSS"));
}

int main(int argc, char **argv)
{
	if (argc < 9)
		bench_fail("DIRECTORY TLS_CA ROOT|- HTTP_PORT DNS_PORT|0 CLIENTS COUNT SERVER_PID [TAG [polls]]");
	signal(SIGPIPE, SIG_IGN);
	bench.directory = argv[1];
	bench.tls_ca = argv[2];
	bench.root = str_equal(argv[3], "-") ? NULL : argv[3];
	responder_start((unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
	bench.clients = (unsigned)atoi(argv[6]);
	bench.count = (unsigned)atoi(argv[7]);
	bench.tag = argc > 9 ? argv[9] : "a";
	bench.polls = argc > 10;
	int pid = atoi(argv[8]);
	bench.ms = calloc(bench.count + 1, sizeof *bench.ms);
	pthread_barrier_init(&bench.start, NULL, bench.clients + 1);
	pthread_t *threads = calloc(bench.clients, sizeof *threads);
	for (unsigned i = 0; i < bench.clients; i++)
		if (pthread_create(&threads[i], NULL, client_run, NULL))
			bench_fail("no thread");
	pthread_barrier_wait(&bench.start);
	double began = process_now_ms(), cpu = process_cpu_ms(pid);
	for (unsigned i = 0; i < bench.clients; i++)
		pthread_join(threads[i], NULL);
	report(process_now_ms() - began, process_cpu_ms(pid) - cpu, pid);
	free(threads);
	free(bench.ms);
	return 0;
}
