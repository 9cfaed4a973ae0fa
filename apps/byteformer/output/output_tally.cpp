// Counts outputs, and says what they add up to.
#include "output/output_tally.hpp"

#include <algorithm>
#include <string>

#include "base/file_io.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {
namespace {

std::string files(std::size_t number) { return counted(static_cast<std::int64_t>(number), "file"); }

}  // namespace

void OutputTally::add(const OutputResult& result, ProgressBar& progress, Console& console) {
  if (result.is_left_out) ++num_left_out_;
  if (!result.error && !result.is_left_out) ++num_written_;
  if (result.error) {
    progress.clear();
    complain(console, *result.error);
    status_ = std::max(status_, result.is_of_output ? kExitFailure : kExitInputFailed);
  }
  ++num_done_;
}

int OutputTally::finish(const std::filesystem::path& output, const char* verb, Console& console) const {
  if (num_left_out_ > 0)
    complain(console, "left out " + files(num_left_out_) + " of the output folder, which lies in a folder of inputs");
  if (console.err_is_terminal && num_written_ > 0)
    complain(console, files(num_written_) + " written to " + base::printable(output));
  if (num_done_ == 0) complain(console, std::string("no files found to ") + verb);
  return status_;
}

}  // namespace byteformer::cli
