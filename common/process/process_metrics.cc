#include "common/process/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <vector>

namespace meshdns::process {
namespace {

using metrics::Sample;

/// The pages of memory of this process, all and resident; 0 = /proc cannot be read.
struct Pages {
  double all = 0;
  double resident = 0;
};

Pages pages() {
  Pages out;
  std::ifstream("/proc/self/statm") >> out.all >> out.resident;
  return out;
}

/// Returns the number of entries in a folder of /proc.
double entries_of(const char* folder) {
  double count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) ++count;
  return count;
}

double cpu_seconds() {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double most_descriptors() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

}  // namespace

void register_process_metrics(metrics::Registry& registry, const std::string& program, const std::string& version,
                              std::int64_t started) {
  registry.collect_with([=](std::vector<Sample>& out) {
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    const Pages memory = pages();
    out.push_back({Sample::Kind::Gauge,
                   "meshdns_build_info",
                   "1, with the program and its version",
                   {{"program", program}, {"version", version}},
                   1});
    out.push_back({Sample::Kind::Counter, "process_cpu_seconds_total", "CPU time of the process", {}, cpu_seconds()});
    out.push_back(
        {Sample::Kind::Gauge, "process_resident_memory_bytes", "memory that is in RAM", {}, memory.resident * page});
    out.push_back({Sample::Kind::Gauge, "process_virtual_memory_bytes", "address space", {}, memory.all * page});
    out.push_back({Sample::Kind::Gauge, "process_open_fds", "open descriptors", {}, entries_of("/proc/self/fd")});
    out.push_back(
        {Sample::Kind::Gauge, "process_max_fds", "how many descriptors there may be", {}, most_descriptors()});
    out.push_back({Sample::Kind::Gauge, "process_threads", "threads", {}, entries_of("/proc/self/task")});
    out.push_back({Sample::Kind::Gauge,
                   "process_start_time_seconds",
                   "when the process began, in seconds since 1970",
                   {},
                   static_cast<double>(started)});
  });
}

}  // namespace meshdns::process
