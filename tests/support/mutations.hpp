// Deterministic damage: random mutations of a file, and the check that a parser survives them.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <string_view>

namespace byteformer::test {

/// Damages bytes in the ways that files and attackers do: flipped bits, overwritten and huge numbers, cuts, copies,
/// insertions. Half of the damage falls near the ends, where headers and directories are.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string mutate(std::string_view original);

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  std::size_t position(std::size_t size);
  void mutate_once(std::string& bytes);

  std::mt19937_64 random_;
};

/// Feeds `count` mutations of `original` to `parse`, each of which must return or throw Error, within a second or so
/// and a budget of memory. Some of them must fail: a parser that accepts everything is not looking.
void expect_survives(std::string_view original, int count, const std::function<void(const std::string&)>& parse);

}  // namespace byteformer::test
