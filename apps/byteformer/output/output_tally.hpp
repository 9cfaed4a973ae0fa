// What a command that writes an output for each input says of them, and the exit status that they add up to.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include "byteformer/error.hpp"
#include "console.hpp"
#include "exit_status.hpp"
#include "output/progress_bar.hpp"

namespace byteformer::cli {

/// What became of one input.
struct OutputResult {
  std::optional<Error> error = {};  ///< names the path; nothing if the output is written
  bool is_of_output = false;        ///< whether the error is one of writing, not of the input
  bool is_left_out = false;         ///< an output of this or an earlier run that was found in a folder of inputs
};

class OutputTally {
 public:
  /// An error is a line on standard error.
  void add(const OutputResult& result, ProgressBar& progress, Console& console);

  /// Says what was left out, and to a terminal how much was written to `output`. \param verb "encode"
  /// \returns the exit status.
  int finish(const std::filesystem::path& output, const char* verb, Console& console) const;

  std::size_t num_done() const noexcept { return num_done_; }

 private:
  std::size_t num_done_ = 0;
  std::size_t num_left_out_ = 0;
  std::size_t num_written_ = 0;
  int status_ = kExitOk;
};

}  // namespace byteformer::cli
