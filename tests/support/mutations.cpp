// The mutations behind mutations.hpp.
#include "support/mutations.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <exception>

#include "byteformer/error.hpp"
#include "support/allocation_budget.hpp"

namespace byteformer::test {
namespace {

constexpr std::size_t kMaxMutations = 4;
constexpr std::size_t kEndBytes = 4096;
constexpr std::size_t kMaxRunBytes = 64;
constexpr std::size_t kBudgetBytes = 256 << 20;
constexpr std::chrono::seconds kMaxTime{10};  // generous: sanitizers, shared machines

constexpr std::array<std::string_view, 12> kInteresting{
    std::string_view("\x00", 1),
    "\xff",
    "\x7f",
    std::string_view("\x00\x00\x00\x00", 4),
    "\xff\xff\xff\xff",
    "\xff\xff\xff\x7f",
    "\xff\xff\xff\xff\xff\xff\xff\xff",
    "\xff\xff\xff\xff\xff\xff\xff\x7f",
    std::string_view("\x00\x00\x00\x40", 4),
    "9999999999",
    "-1",
    "[[[[[[[[",
};

}  // namespace

std::size_t Mutator::position(std::size_t size) {
  const std::size_t near = std::min(size, kEndBytes);
  switch (below(4)) {
    case 0: return below(near);
    case 1: return size - 1 - below(near);
    default: return below(size);
  }
}

void Mutator::mutate_once(std::string& bytes) {
  if (bytes.empty()) return;
  const std::size_t at = position(bytes.size());
  const std::size_t run = std::min(1 + below(kMaxRunBytes), bytes.size() - at);
  const std::string_view interesting = kInteresting[below(kInteresting.size())];
  switch (below(8)) {
    case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); return;
    case 1: bytes[at] = static_cast<char>(random_()); return;
    case 2: bytes.replace(at, std::min(interesting.size(), bytes.size() - at), interesting); return;
    case 3: bytes.insert(at, interesting); return;
    case 4: bytes.erase(at, run); return;
    case 5: bytes.insert(position(bytes.size()), bytes.substr(at, run)); return;
    case 6: bytes.replace(at, run, bytes.substr(position(bytes.size()), run)); return;
    default: bytes.resize(below(8) == 0 ? at : bytes.size() - below(std::min(bytes.size(), kMaxRunBytes))); return;
  }
}

std::string Mutator::mutate(std::string_view original) {
  std::string bytes(original);
  for (std::size_t n = 1 + below(kMaxMutations); n > 0; --n) mutate_once(bytes);
  return bytes;
}

void expect_survives(std::string_view original, int count, const std::function<void(const std::string&)>& parse) {
  int num_refused = 0;
  for (int seed = 0; seed < count; ++seed) {
    const std::string bytes = Mutator(static_cast<std::uint64_t>(seed)).mutate(original);
    const auto start = std::chrono::steady_clock::now();
    try {
      const AllocationBudget budget(kBudgetBytes);
      parse(bytes);
    } catch (const Error&) {
      ++num_refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "mutation " << seed << " made the parser throw something else: " << error.what();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, kMaxTime) << "mutation " << seed;
  }
  EXPECT_GT(num_refused, count / 10);
  testing::Test::RecordProperty("refused", num_refused);
}

}  // namespace byteformer::test
