// Reads what /proc tells of the processor and of memory; multiplies and adds in registers on all threads, and takes the
// time.
#include "system/machine.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

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

constexpr long kStepsPerRound = 20'000'000;
constexpr int kRounds = 5;

/// Runs `kChains` independent chains of multiply-adds, enough to hide the latency of two units and few enough to stay
/// in registers. Returns their sum, so that nothing is optimised away.
template <typename Vector, int kChains>
[[gnu::always_inline]] inline float multiply_add_chains(float seed) {
  const Vector factor = Vector{} + (0.999F + seed * 1e-9F);
  const Vector addend = Vector{} + seed * 1e-3F;
  Vector chains[kChains];
  for (Vector& chain : chains) chain = addend;
  for (long step = 0; step < kStepsPerRound; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chains[i] = chains[i] * factor + addend;
  }
  Vector sum{};
  for (const Vector& chain : chains) sum += chain;
  float total = 0;
  for (unsigned lane = 0; lane < sizeof(Vector) / sizeof(float); ++lane) total += sum[lane];
  return total;
}

/// One way to reach the peak.
struct Loop {
  float (*run)(float seed);
  int flops_per_step;
  const char* vectors;
};

using Float4 [[gnu::vector_size(16)]] = float;
float run_128(float seed) { return multiply_add_chains<Float4, 12>(seed); }

#if defined(__x86_64__)
using Float8 [[gnu::vector_size(32)]] = float;
using Float16 [[gnu::vector_size(64)]] = float;
[[gnu::target("avx2,fma")]] float run_avx2(float seed) { return multiply_add_chains<Float8, 12>(seed); }
[[gnu::target("avx512f")]] float run_avx512(float seed) { return multiply_add_chains<Float16, 12>(seed); }

Loop widest_loop() {
  if (__builtin_cpu_supports("avx512f")) return {run_avx512, 2 * 12 * 16, "AVX-512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {run_avx2, 2 * 12 * 8, "AVX2"};
  return {run_128, 2 * 12 * 4, "128-bit"};
}
#else
Loop widest_loop() { return {run_128, 2 * 12 * 4, "128-bit"}; }
#endif

double seconds_of_round(const Loop& loop, int num_threads) {
  std::atomic<float> sink{0};
  const auto work = [&](int thread) { sink.store(loop.run(0.5F + static_cast<float>(thread))); };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (int thread = 1; thread < num_threads; ++thread) others.emplace_back(work, thread);
  work(0);
  for (std::thread& other : others) other.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::string processor_name() { return proc_field("/proc/cpuinfo", "model name"); }

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

PeakFlops measure_peak_flops(int num_threads) {
  const Loop loop = widest_loop();
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double flops = static_cast<double>(loop.flops_per_step) * kStepsPerRound * num_threads;
    best = std::max(best, flops / seconds_of_round(loop, num_threads));
  }
  return {best, loop.vectors};
}

}  // namespace byteformer::cli
