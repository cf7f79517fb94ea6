#include "server/open_files.h"

#include <sys/resource.h>

enum { BESIDE = 64 }; /* listeners, store, log, probes, the CA's files */

unsigned open_files_part(unsigned part, unsigned max)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur / part > max)
		return max;
	return (unsigned)files.rlim_cur / part;
}

bool open_files_check(unsigned threads, struct problem *p)
{
	unsigned wanted = 2 * threads + BESIDE, have = open_files_part(1, wanted);

	return have >= wanted ||
	       problem_internal(p, "%u threads take %u open files, and this process may have %u: raise the limit "
	                        "(`ulimit -n`, LimitNOFILE=), or lower `http.threads`",
	                        threads, wanted, have);
}
