// The files to read: the options that name them, and one file after another without holding all their names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "byteformer/error.hpp"
#include "console.hpp"
#include "data/data_set.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {

/// The canonical path; as it is given where nothing stands there.
std::filesystem::path without_links(const std::filesystem::path& path);

/// One input, or why there is none behind this path.
struct Input {
  std::string path;
  bool is_standard_input = false;
  std::optional<Error> error;
  std::string root = {};  ///< the given folder or archive that it was found below; empty if it was given itself
  std::optional<data::ArchivePlace> place = {};  ///< of a file in an archive, whose name there ends `path`
  std::optional<std::string> label = {};         ///< that lies beside it in the archive

  /// To be read by what reads samples.
  data::Sample sample() const { return {.path = path, .start_s = {}, .place = place}; }
};

struct InputOptions {
  std::vector<std::string> paths;  ///< "-" is standard input
  std::istream* list = nullptr;    ///< more paths, one per line; none of them is standard input
  char list_separator = '\n';
  bool is_recursive = false;                              ///< whether folders stand for the files below them
  bool opens_archives = false;                            ///< whether archives stand for the files in them
  std::shared_ptr<InputStream> list_file = {};            ///< keeps `list` open where it is a file
  std::function<bool(std::string_view path)> takes = {};  ///< whether this input is to be read; none: each is. An
                                                          ///< archive is one input
};

/// Yields inputs in the order given, and the files of a folder sorted by name. What systems leave in folders
/// (base::is_left_by_systems()) is no input, and neither are labels beside files in archives; nothing else is skipped
/// silently: what cannot be listed is an input with an error, and so is a given folder without any file below it, an
/// archive that is damaged, and a link in one. Everything but folders is
/// left for the reader to judge.
class Inputs {
 public:
  explicit Inputs(InputOptions options) : options_(std::move(options)) {}

  /// The next input; nothing after the last.
  /// \throws UsageError if a line of the list is longer than any path.
  std::optional<Input> next();

  /// The next `size` inputs; fewer before and after standard input, which is a batch of its own so that nobody waits
  /// for it to see other answers, and at the end; none after the last.
  std::vector<Input> next_batch(std::size_t size);

  /// How many there will be, where that is known without looking.
  std::optional<std::size_t> total() const;

  /// Whether `path` was given itself, under whatever name: what is written there may be read yet, or again. What a list
  /// names is not known.
  bool were_given(const std::filesystem::path& path) const;

  /// Whether it or a folder that it lies in was given.
  bool may_hold(const std::filesystem::path& path) const;

 private:
  /// A folder half way through: `names` are what is left of it, last first.
  struct Folder {
    std::filesystem::path path;
    std::filesystem::path identity;  ///< canonical path, to notice links that lead back
    std::vector<std::filesystem::path> names;
  };

  const std::unordered_set<std::string>& given() const;
  std::optional<Input> next_in_archive();
  void open_archive(const Input& input);
  std::optional<Input> find();
  std::optional<std::string> next_root();
  std::optional<std::string> next_line();
  std::optional<Input> visit(const std::filesystem::path& path);
  std::optional<Input> enter(const std::filesystem::path& folder);

  InputOptions options_;
  mutable std::unordered_set<std::string> given_;  ///< canonical paths; made when they are asked for first
  std::size_t next_path_ = 0;
  bool is_first_line_ = true;
  std::optional<Input> pending_;  ///< taken from the sequence, but not yet part of a batch
  std::vector<Folder> folders_;   ///< from the outermost to the one being listed
  bool is_root_empty_ = false;    ///< whether nothing was found yet below the outermost
  std::vector<Input> archive_;    ///< what is left of the archive that is read, last first
};

struct CommandLine;

struct InputArguments {
  std::vector<std::string> paths;
  std::optional<std::string> files_from;
  bool is_recursive = false;
  bool is_null_separated = false;
  bool opens_archives = false;
};

/// \param verb what the command does with files: "Classify"
void add_input_arguments(CommandLine& line, InputArguments& arguments, const std::string& verb,
                         const std::string& paths_description);

/// --tar, for commands that read files in archives.
void add_archive_argument(CommandLine& line, InputArguments& arguments);

/// \throws UsageError where the arguments contradict each other, or ask for a standard input that is closed.
void check(const InputArguments& arguments, const Console& console);

/// The inputs that checked arguments name. \param takes as InputOptions::takes
/// \throws UsageError if the list cannot be opened.
Inputs open_inputs(const InputArguments& arguments, Console& console,
                   std::function<bool(std::string_view path)> takes = {});

}  // namespace byteformer::cli
