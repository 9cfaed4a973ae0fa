// Reads what /proc tells of the processor and of memory.
#include "system/machine.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <fstream>
#include <thread>

namespace byteformer::cli {
namespace {

/// The text after "KEY<blanks>:<blanks>" in a file of /proc; empty if there is none.
std::string proc_field(const char* file, const std::string& key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    const std::size_t start = line.find_first_not_of(" \t", colon == std::string::npos ? colon : colon + 1);
    if (start != std::string::npos) return line.substr(start);
  }
  return "";
}

}  // namespace

std::string processor_name() { return proc_field("/proc/cpuinfo", "model name"); }

int num_available_processors() {
#ifdef __linux__
  cpu_set_t processors;
  if (::sched_getaffinity(0, sizeof(processors), &processors) == 0) return CPU_COUNT(&processors);
#endif
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::uint64_t physical_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page_size > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_size) : 0;
}

std::string operating_system() {
  utsname names{};
  if (::uname(&names) != 0) return "unknown";
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

std::uint64_t peak_resident_bytes() {
  // VmHWM is this process's own; ru_maxrss is inherited across exec and so may be that of the shell which started us.
  if (const std::string peak = proc_field("/proc/self/status", "VmHWM"); !peak.empty())
    return std::strtoull(peak.c_str(), nullptr, 10) * 1024;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace byteformer::cli
