// Shares by hashes of paths, what launchers say in the environment, and files of shards that are whole or not there.
#include "classify/shards.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/bytes_io.hpp"
#include "base/file_io.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "data/layouts.hpp"
#include "exit_status.hpp"
#include "format/json.hpp"
#include "output/output_files.hpp"
#include "output/text.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostJobBytes = 1 << 20;

std::optional<std::size_t> parse_count(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > kMostShards) return std::nullopt;
  return number;
}

/// Variables in which a launcher says which of its tasks this is, and of how many.
struct Launcher {
  const char* index;
  const char* count;             ///< null where it does not say
  const char* first = nullptr;   ///< index of the first task; null: 0
  const char* stride = nullptr;  ///< between two tasks; null: 1
};

// The array comes first: each of its tasks may be started by srun, which then sets variables of its own.
constexpr std::array<Launcher, 5> kLaunchers = {{
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"},
    {"JOB_COMPLETION_INDEX", nullptr},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
    {"PMI_RANK", "PMI_SIZE"},
    {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},  // not SLURM_NTASKS, which a batch script that runs alone has, too
}};

/// The number in a variable; `otherwise` where it is not set or has no name.
std::optional<std::size_t> number_in(const char* name, const Environment& environment,
                                     std::optional<std::size_t> otherwise = std::nullopt) {
  const char* text = name == nullptr ? nullptr : environment(name);
  if (text == nullptr) return otherwise;
  const std::optional<std::size_t> number = parse_count(text);
  if (!number)
    throw UsageError(fmt::format("{}: the launcher says {}={}, which is no number up to {}", kShardOption, name,
                                 base::excerpt(text), kMostShards));
  return number;
}

/// \param count  that the option names, if it does: then tasks are counted from 0 on, so that some of them can be
/// started again
Shard shard_of_launcher(const Launcher& launcher, std::optional<std::size_t> count, const Environment& environment) {
  const std::size_t task = number_in(launcher.index, environment).value();
  const auto told = number_in(launcher.count, environment);
  if (count) {
    const bool is_rank = launcher.first == nullptr && told.has_value();
    if (is_rank && told != count)
      throw UsageError(fmt::format("{} auto/{}: the launcher says {}={}", kShardOption, *count, launcher.count, *told));
    if (task >= *count)
      throw UsageError(fmt::format("{} auto/{}: the launcher says {}={}, expected 0 to {}", kShardOption, *count,
                                   launcher.index, task, *count - 1));
    return {task, *count};
  }
  if (!told)
    throw UsageError(fmt::format("{} auto: {} says which shard this is, but not of how many; give {} auto/N",
                                 kShardOption, launcher.index, kShardOption));
  const std::size_t first = number_in(launcher.first, environment, 0).value();
  const std::size_t stride = std::max<std::size_t>(1, number_in(launcher.stride, environment, 1).value());
  const Shard shard{(task - first) / stride, *told};
  if (task < first || (task - first) % stride != 0 || shard.index >= shard.count)
    throw UsageError(fmt::format("{} auto: {}={} is not one of {} tasks from {} on in steps of {}; give {} auto/N",
                                 kShardOption, launcher.index, task, *told, first, stride, kShardOption));
  return shard;
}

Shard shard_of_launcher(std::optional<std::size_t> count, const Environment& environment) {
  for (const Launcher& launcher : kLaunchers) {
    const bool says_count = launcher.count != nullptr && environment(launcher.count) != nullptr;
    if (environment(launcher.index) != nullptr && (count || says_count || launcher.count == nullptr))
      return shard_of_launcher(launcher, count, environment);
  }
  throw UsageError(base::joined(kShardOption, " auto: no launcher says which shard this is; give ", kShardOption,
                                " I/N, or start this by an array job, an Indexed Job or mpirun"));
}

/// Of what a model is: its configuration and its weights.
std::string fingerprint_of_model(const fs::path& model_dir) {
  std::string digests;
  for (const char* name : {"config.json", "model.safetensors"}) {
    const base::MappedFile file(model_dir / name);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.bytes().data());
    digests += base::hex(base::sha256({bytes, file.bytes().size()})).substr(0, 16);
  }
  return digests;
}

/// The first of `indices` in words: "3, 7 and 12".
std::string in_words(const std::vector<std::size_t>& indices) {
  constexpr std::size_t kMostNamed = 10;
  std::vector<std::string> words;
  for (const std::size_t index : indices) {
    if (words.size() == kMostNamed) break;
    words.push_back(std::to_string(index));
  }
  if (indices.size() <= kMostNamed) return base::list(words, ", ", " and ");
  return fmt::format("{}, ... ({} in all)", base::list(words, ", "), grouped(indices.size()));
}

/// The shard that a file of this name holds; nothing if that is no shard's name.
std::optional<Shard> shard_of_file(const std::string& name) {
  constexpr std::string_view kStart = "shard-", kBetween = "-of-", kEnd = ".jsonl";
  const std::size_t between = name.find(kBetween);
  if (!name.starts_with(kStart) || !name.ends_with(kEnd) || between == std::string::npos) return std::nullopt;
  const std::string_view text = name;
  const auto index = parse_count(text.substr(kStart.size(), between - kStart.size()));
  const std::size_t behind = between + kBetween.size();
  if (behind + kEnd.size() > name.size()) return std::nullopt;
  const auto count = parse_count(text.substr(behind, text.size() - behind - kEnd.size()));
  if (!index || !count || *index >= *count) return std::nullopt;
  const Shard shard{*index, *count};
  return shard.file_name() == name ? std::optional(shard) : std::nullopt;
}

/// Whether a line is an answer, and which.
class AnswerLines {
 public:
  AnswerLines(const fs::path& file, AnswerCount& count) : file_(file), count_(count) {}

  void push(std::string_view piece) {
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      line_ += piece.substr(0, end);
      take();
      piece.remove_prefix(end + 1);
    }
    line_ += piece;
  }

  void finish() {
    if (line_.empty()) return;
    ++num_lines_;  // which was cut
    refuse();
  }

 private:
  // Where a string of JSON holds a quote there is a backslash before it: these are keys, whatever the path is called.
  void take() {
    ++num_lines_;
    const bool is_answer = line_.starts_with(R"({"path":")") && line_.ends_with('}');
    const bool is_ok = line_.find(R"(","status":"ok")") != std::string::npos;
    const bool is_error = line_.find(R"(","status":"error")") != std::string::npos;
    if (!is_answer || is_ok == is_error) refuse();
    ++(is_ok ? count_.num_ok : count_.num_errors);
    line_.clear();
  }

  [[noreturn]] void refuse() const {
    base::fail(ErrorCode::kInvalidFormat, base::About{file_.native()}, "line ", num_lines_,
               " is no answer; remove the file and classify this shard again");
  }

  const fs::path& file_;
  AnswerCount& count_;
  std::string line_;
  std::uint64_t num_lines_ = 0;
};

}  // namespace

bool Shard::takes(std::string_view path) const noexcept { return data::hash_of(path, 0) % count == index; }

std::string Shard::file_name() const { return fmt::format("shard-{:05}-of-{:05}.jsonl", index, count); }

std::string Shard::description() const { return fmt::format("shard {} of {}", index, count); }

Shard parse_shard(const std::string& text, const Environment& environment) {
  const std::size_t slash = text.find('/');
  const std::string index_text = text.substr(0, slash);
  std::optional<std::size_t> count;
  if (slash != std::string::npos) count = parse_count(std::string_view(text).substr(slash + 1));
  const bool is_auto = index_text == "auto";
  const auto index = parse_count(index_text);
  const bool has_count = slash != std::string::npos;
  if ((has_count && count.value_or(0) == 0) || (!is_auto && (!index || !count || *index >= *count)))
    throw UsageError(fmt::format("{} must be I/N with I from 0 to N - 1 and N up to {}, auto or auto/N, not `{}`",
                                 kShardOption, kMostShards, text));
  return is_auto ? shard_of_launcher(count, environment) : Shard{*index, *count};
}

void join_job(const fs::path& folder, const Shard& shard, const std::string& model_dir, const std::string& how) {
  create_folders(folder);
  const fs::path path = folder / kJobFile;
  const std::string model = fingerprint_of_model(model_dir);
  const format::OrderedJson ours = {{"shards", shard.count}, {"model", model}, {"options", how}};
  try {
    base::write_file_atomically(path, format::to_text(ours) + "\n", {.replaces = false});
    return;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kAlreadyExists) throw;
  }
  format::Json job;
  try {
    job = format::from_text(base::read_text_file(path, kMostJobBytes));
    const auto check = [&](const char* what, const auto& theirs, const auto& mine) {
      if (theirs != mine)
        base::fail(ErrorCode::kInvalidArgument, base::About{path.native()}, "this job was begun with ", what, " ",
                   theirs, ", and now it is ", mine, "; give another folder, or remove this one");
    };
    check("shards", job.at("shards").get<std::uint64_t>(), static_cast<std::uint64_t>(shard.count));
    check("the model", job.at("model").get<std::string>(), model);
    check("the options", job.at("options").get<std::string>(), how);
  } catch (const format::Json::exception& error) {
    base::fail_format(path.native(), "is not what a job notes: ", error.what());
  }
}

std::string AnswerCount::description() const {
  return fmt::format("{}, {}", counted(num_inputs(), "file"), counted(num_errors, "error"));
}

AnswerCount read_shard(const fs::path& file, const std::function<void(std::string_view)>& take) {
  AnswerCount count;
  AnswerLines lines(file, count);
  base::InputFile input(file);
  std::vector<std::uint8_t> buffer(std::size_t{1} << 20);
  for (std::size_t size = buffer.size(); size == buffer.size();) {
    size = input.read(buffer);
    const std::string_view piece = base::as_text(std::span(buffer).first(size));
    lines.push(piece);
    if (take) take(piece);
  }
  lines.finish();
  return count;
}

void remove_leftovers(const fs::path& file) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(file.parent_path(), error))
    if (base::is_temporary_of(file, entry.path())) leftovers.push_back(entry.path());
  for (const fs::path& leftover : leftovers) fs::remove(leftover, error);
}

std::vector<fs::path> find_shards(const fs::path& folder) {
  std::vector<Shard> shards;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error))
    if (const auto shard = shard_of_file(entry->path().filename().native())) shards.push_back(*shard);
  if (error)
    base::fail(ErrorCode::kNotFound, base::About{folder.native()}, "cannot list this folder: ", error.message());
  if (shards.empty())
    base::fail(ErrorCode::kNotFound, base::About{folder.native()}, "holds no shards that `byteformer classify ",
               kShardOption, "` has finished");
  std::ranges::sort(shards, {}, &Shard::index);
  const std::size_t count = shards.front().count;
  std::vector<fs::path> files(count);
  for (const Shard& shard : shards) {
    if (shard.count != count)
      base::fail(ErrorCode::kInvalidArgument, base::About{folder.native()}, "holds shards of two jobs, of ", count,
                 " and of ", shard.count);
    files[shard.index] = folder / shard.file_name();
  }
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < count; ++i)
    if (files[i].empty()) missing.push_back(i);
  if (!missing.empty())
    base::fail(ErrorCode::kNotFound, base::About{folder.native()}, missing.size() == 1 ? "shard " : "shards ",
               in_words(missing), " of ", count, missing.size() == 1 ? " is" : " are", " missing");
  return files;
}

}  // namespace byteformer::cli
