/* What the kernel says of a process, and the time. For benchmarks. */
#pragma once

double process_now_ms(void);
/* CPU of a process so far, ms. */
double process_cpu_ms(int pid);
/* A line of its status, such as VmRSS or VmHWM, in MB. */
double process_rss_mb(int pid, const char *line);
