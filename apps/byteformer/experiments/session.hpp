// Carries out tasks one after another, and tells how far it is.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "console.hpp"
#include "experiments/run.hpp"
#include "experiments/runner.hpp"
#include "experiments/tasks.hpp"

namespace byteformer::cli {

class Session {
 public:
  /// All must outlive this.
  Session(const experiments::RecipeBook& book, const Runner& runner, const experiments::Places& places,
          Console& console)
      : book_(book), runner_(runner), places_(places), console_(console) {}

  /// Does what is not done, and writes the results page after each run. A run that fails is said, and the others go on.
  /// \returns how many failed. \throws Interrupted
  int run(const std::vector<Task>& tasks);

 private:
  bool carry_out(const Task& task);
  std::string time_left(std::size_t num_left) const;
  void say(const std::string& line) const;

  const experiments::RecipeBook& book_;
  const Runner& runner_;
  const experiments::Places& places_;
  Console& console_;
  double seconds_ = 0;  // that runs took
  int num_timed_ = 0;   // how many
};

}  // namespace byteformer::cli
