// Files that a command writes, none of them twice and none that it reads, and what became of them.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <unordered_map>
#include <vector>

#include "byteformer/error.hpp"
#include "bytes/transforms.hpp"
#include "classify/inputs.hpp"
#include "console.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {

/// \throws Error kIo or kPermissionDenied.
void create_folders(const std::filesystem::path& folder);

/// \param input  of which `output` is made; empty for standard input
/// \throws Error kAlreadyExists where `output` exists and is not to be overwritten; kInvalidArgument where it is
/// `input`.
void check_overwriting(const std::filesystem::path& input, const std::filesystem::path& output, bool overwrites);

/// \throws Error kInvalidArgument where `output` is one of the files `read`, under whatever name: by --force, too, no
/// command writes over what it reads.
void refuse_to_replace(const std::filesystem::path& output, const std::vector<std::filesystem::path>& read);

/// The same of a file that stands at `output`, where `is_input` says so of it.
void refuse_to_replace_input(const std::filesystem::path& output,
                             const std::function<bool(const std::filesystem::path&)>& is_input);

/// The files of a model folder that a command reads.
std::vector<std::filesystem::path> files_of_model(const std::filesystem::path& model_dir);

/// Where an output that is named as `input` is lies among others: below a folder that is walked the folders stay.
std::filesystem::path relative_place(const Input& input);

/// A folder that takes an output for each input.
class OutputFolder {
 public:
  /// Makes the folder if it is missing.
  /// \throws Error as create_folders().
  explicit OutputFolder(const std::filesystem::path& path);

  /// Where an output goes that is named as `input` is.
  std::filesystem::path place_of(const Input& input) const;

  /// Whether `input` is an output of this or an earlier run: a walk came into this folder, which lies below the folder
  /// that is walked.
  bool holds(const Input& input) const;

  /// Whether `file` lies below this folder, through whatever links.
  bool holds(const std::filesystem::path& file) const;

 private:
  std::filesystem::path path_;
  std::filesystem::path identity_;  ///< canonical path
};

/// Which outputs of this run are written, so that no input takes the place of another. Knows the last of them by name;
/// of those before, the file tells by when it was written. Memory does not grow with the run.
class WrittenOutputs {
 public:
  /// \param folder  that takes the outputs; must exist
  /// \param most_names  that are kept
  explicit WrittenOutputs(const std::filesystem::path& folder, std::size_t most_names = 1 << 16);

  /// \throws Error kAlreadyExists where `output` is written already, naming the input that it is of if that is known.
  void check(const std::filesystem::path& output) const;

  void add(const std::filesystem::path& output, const std::filesystem::path& input);

 private:
  std::filesystem::file_time_type start_;
  std::size_t most_names_;
  std::unordered_map<std::string, std::string> inputs_;  ///< by output
  std::deque<std::string> outputs_;                      ///< the keys of inputs_, from the oldest on
  bool forgets_ = false;                                 ///< whether there were more than are kept
};

/// What became of one input.
struct OutputResult {
  std::optional<Error> error = {};  ///< names the path; nothing if the output is written
  bool is_of_output = false;        ///< whether the error is one of writing, not of the input
  bool is_left_out = false;         ///< an output of this or an earlier run that was found in a folder of inputs
};

// The bytes of an input as transforms make them, piece by piece: memory does not grow with the file. No transform may
// need the whole file, none of standard input its length. `standard_input` may be null where it is not the input.

/// Writes `output` whole or not at all; its folder is made if it is missing.
/// \throws Interrupted after Ctrl-C.
OutputResult write_transformed(const bytes::Transforms& transforms, const Input& input, std::istream* standard_input,
                               const std::filesystem::path& output, bool overwrites);

/// Writes to `out`, piece by piece.
/// \throws Interrupted after Ctrl-C; ClosedPipe; Error kIo where `out` takes no more.
OutputResult stream_transformed(const bytes::Transforms& transforms, const Input& input, std::istream* standard_input,
                                std::ostream& out);

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
