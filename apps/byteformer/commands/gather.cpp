// `byteformer gather`: the answers of all shards of a job in one file, once all of them are there.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_io.hpp"
#include "classify/shards.hpp"
#include "commands/commands.hpp"
#include "output/output_files.hpp"
#include "output/text.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(Joins the shards that `byteformer classify --shard` wrote to DIR, in their order. Says which are missing, if any
are, and writes nothing then (exit status 3). Says how many inputs were answered and how many could not be; where any
could not, the exit status is 1, as that of the job would have been on one machine.

Examples:
  byteformer gather answers/ -o answers.jsonl
  byteformer gather answers/ | jq -r 'select(.status == "error") | .path')";

struct Options {
  std::optional<std::string> folder, output;
  bool force = false;
};

/// Joins `shards`. \param take gets the lines
AnswerCount join(const std::vector<std::filesystem::path>& shards, const std::function<void(std::string_view)>& take) {
  AnswerCount all;
  for (const std::filesystem::path& shard : shards) {
    const AnswerCount count = read_shard(shard, take);
    all.num_ok += count.num_ok;
    all.num_errors += count.num_errors;
  }
  return all;
}

int gather(const Options& options, Console& console) {
  const std::vector<std::filesystem::path> shards = find_shards(*options.folder);
  AnswerCount count;
  if (options.output && *options.output != "-") {
    check_overwriting({}, *options.output, options.force);
    refuse_to_replace(*options.output, shards);
    refuse_to_replace(*options.output, {std::filesystem::path(*options.folder) / kJobFile});
    const auto write = [&](const std::function<void(std::span<const std::byte>)>& append) {
      count = join(shards, [&](std::string_view lines) { append(std::as_bytes(std::span(lines))); });
    };
    base::write_file_atomically(*options.output, write, {.replaces = options.force});
  } else {
    count = join(shards, [&](std::string_view lines) { console.out << lines; });
    console.out.flush();
  }
  complain(console, base::joined(counted(shards.size(), "shard"), ": ", count.description()));
  return count.num_errors > 0 ? kExitInputFailed : kExitOk;
}

}  // namespace

Action add_gather(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_text(line, "DIR", options->folder, "DIR", "Folder of the shards").required();
  add_text(line, names_of(&plan::Request::output), options->output, "FILE",
           "File to write to (default: standard output)");
  add_force(line, options->force, "Overwrite FILE if it exists");
  line.details = kDetails;
  return [options](Console& console) { return gather(*options, console); };
}

}  // namespace byteformer::cli
