#include "tests/bench/process.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/http_client.h"

double process_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

double process_cpu_ms(int pid)
{
	char path[64];
	unsigned long user, system;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		bench_fail("cannot read %s", path);
	fclose(f);
	return (double)(user + system) * 1000.0 / (double)sysconf(_SC_CLK_TCK);
}

double process_rss_mb(int pid, const char *name)
{
	char path[64], line[256];
	unsigned long kb = 0;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (str_starts(line, name) && sscanf(line + strlen(name), ": %lu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return (double)kb / 1024.0;
}
