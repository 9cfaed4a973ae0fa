// A job that many machines classify: which input is whose, the file that each share becomes, and all of them joined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace byteformer::cli {

/// In the folder of the shards: what the job is.
inline constexpr const char* kJobFile = "job.json";

inline constexpr const char* kShardOption = "--shard";

/// One share of a job: the inputs whose path has the hash `index`, modulo `count`.
struct Shard {
  std::size_t index = 0;  ///< from 0 on
  std::size_t count = 1;

  /// Whether an input of this path, as it is given, is in this share. The same on every machine.
  bool takes(std::string_view path) const noexcept;

  std::string file_name() const;    ///< "shard-00003-of-00016.jsonl"
  std::string description() const;  ///< "shard 3 of 16"

  bool operator==(const Shard&) const = default;
};

inline constexpr std::size_t kMostShards = 100'000;  ///< what file names have digits for

/// What a variable of the environment says; null where it is not set.
using Environment = std::function<const char*(const char* name)>;

/// The share that `text` names: "3/16"; "auto", which a launcher says (an array job of Slurm, MPI's ranks, Slurm's); or
/// "auto/16", where a launcher says which (also an Indexed Job of Kubernetes) and the text of how many.
/// \throws UsageError where it is none, or the launcher says nothing or something else.
Shard parse_shard(const std::string& text, const Environment& environment);

/// Notes in `folder` what its shards are made with, which is made if it is missing; whoever comes later has to agree.
/// \param how  what decides an answer, but for model and input
/// \throws Error kInvalidArgument naming both sides where they differ; kIo, kPermissionDenied.
void join_job(const std::filesystem::path& folder, const Shard& shard, const std::string& model_dir,
              const std::string& how);

/// How many inputs a finished shard or job holds.
struct AnswerCount {
  std::uint64_t num_ok = 0, num_errors = 0;

  std::uint64_t num_inputs() const noexcept { return num_ok + num_errors; }
  /// "1,000 files, 2 errors"
  std::string description() const;
};

/// Counts the answers in the JSON lines of a finished shard.
/// \param take  gets the file, piece by piece, if it is given
/// \throws Error kInvalidFormat naming the line that is no answer; as base::InputFile.
AnswerCount read_shard(const std::filesystem::path& file, const std::function<void(std::string_view)>& take = {});

/// Removes what tasks that were killed have left of the shard in `file`, which is finished. A task that still writes
/// there finds it finished.
void remove_leftovers(const std::filesystem::path& file);

/// The files of the shards in `folder`, by their index.
/// \throws Error kNotFound naming the shards that are missing; kInvalidArgument where the folder holds shards of two
/// jobs.
std::vector<std::filesystem::path> find_shards(const std::filesystem::path& folder);

}  // namespace byteformer::cli
