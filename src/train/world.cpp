// Reads the variables of each launcher, and Slurm's lists of hosts.
#include "train/world.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/text.hpp"
#include "byteformer/error.hpp"

namespace byteformer::train {
namespace {

constexpr std::int64_t kMostRanks = 1'000'000;
constexpr std::int64_t kMostPort = 65'535;
constexpr std::uint16_t kUsualPort = 29'500;  // torchrun's
constexpr std::size_t kMostHosts = 1'000'000;

/// The environment, read as numbers.
class Variables {
 public:
  explicit Variables(const Environment& get) : get_(get) {}

  bool has(const char* name) const { return get_(name).has_value(); }
  std::string text(const char* name) const { return get_(name).value_or(""); }

  /// \throws Error kInvalidArgument unless it is a number from `min` to `max`.
  std::int64_t number(const char* name, std::int64_t min, std::int64_t max) const {
    const std::string value = text(name);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < min || number > max)
      base::fail(ErrorCode::kInvalidArgument, "the environment variable ", name, " should be a number from ", min,
                 " to ", max, ", not `", base::excerpt(value), "`");
    return number;
  }

  std::int64_t number_or(const char* name, std::int64_t min, std::int64_t max, std::int64_t otherwise) const {
    return has(name) ? number(name, min, max) : otherwise;
  }

 private:
  const Environment& get_;
};

/// The variables of a launcher: how it counts ranks, and what tells its job from others, the same for all ranks.
struct Names {
  const char *launcher, *rank, *size, *local_rank, *local_size;
  std::vector<const char*> job{};
};
const Names kTorchrun{"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
const Names kOpenMpi{"mpirun",
                     "OMPI_COMM_WORLD_RANK",
                     "OMPI_COMM_WORLD_SIZE",
                     "OMPI_COMM_WORLD_LOCAL_RANK",
                     "OMPI_COMM_WORLD_LOCAL_SIZE",
                     {"PMIX_NAMESPACE"}};
const Names kPmi{"mpirun", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", {"SLURM_JOB_ID"}};
// A batch script itself has a SLURM_PROCID; the number of a step's tasks is set by srun alone.
const Names kSlurm{"srun",          "SLURM_PROCID", "SLURM_STEP_NUM_TASKS",
                   "SLURM_LOCALID", nullptr,        {"SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT"}};

World counted(const Names& names, const Variables& variables) {
  World world;
  world.launcher = names.launcher;
  world.size = static_cast<int>(variables.number(names.size, 1, kMostRanks));
  world.rank = static_cast<int>(variables.number(names.rank, 0, world.size - 1));
  world.local_rank = static_cast<int>(variables.number_or(names.local_rank, 0, world.size - 1, 0));
  if (names.local_size != nullptr)
    world.local_size = static_cast<int>(variables.number_or(names.local_size, 1, world.size, 1));
  return world;
}

/// A port that jobs on one machine hardly share, below those that systems give away.
std::uint16_t port_of_job(std::string_view job) {
  constexpr std::uint32_t kFirst = 20'000, kCount = 10'000;
  std::uint32_t hash = 0x811C'9DC5;  // FNV-1a
  for (const char c : job) hash = (hash ^ static_cast<unsigned char>(c)) * 0x0100'0193;
  return static_cast<std::uint16_t>(kFirst + hash % kCount);
}

void find_slurms_host(const Variables& variables, World& world) {
  const char* nodes = variables.has("SLURM_STEP_NODELIST") ? "SLURM_STEP_NODELIST" : "SLURM_JOB_NODELIST";
  if (variables.has(nodes)) world.host = expand_hosts(variables.text(nodes)).front();
}

/// Tasks of this machine: "2(x3),1" is 2, 2, 2, 1 for the nodes of a step.
int slurms_local_size(const Variables& variables, int size) {
  std::string counts = variables.text("SLURM_STEP_TASKS_PER_NODE");
  auto node = variables.number_or("SLURM_NODEID", 0, kMostRanks, 0);
  while (!counts.empty()) {
    const std::string part = counts.substr(0, counts.find(','));
    counts.erase(0, part.size() + 1);
    const std::size_t times = part.find("(x");
    node -= times == std::string::npos ? 1 : std::max(1, std::atoi(part.c_str() + times + 2));
    if (node < 0) return std::clamp(std::atoi(part.c_str()), 1, size);
  }
  return 1;
}

/// Where the ranks of MPI and Slurm meet; torchrun says it.
void find_place(const Names& names, const Variables& variables, World& world) {
  for (const char* name : names.job)
    if (variables.has(name)) world.prefix += "/" + variables.text(name);
  world.port = world.prefix.empty() ? kUsualPort : port_of_job(world.prefix);
  find_slurms_host(variables, world);
  if (world.local_size == world.size) world.host = "127.0.0.1";
  if (variables.has("MASTER_ADDR")) world.host = variables.text("MASTER_ADDR");
  if (variables.has("MASTER_PORT"))
    world.port = static_cast<std::uint16_t>(variables.number("MASTER_PORT", 1, kMostPort));
  if (world.host.empty())
    base::fail(ErrorCode::kInvalidArgument, world.launcher, " started ", world.size,
               " ranks on several machines and does not say where rank 0 is: set MASTER_ADDR to its name");
}

World torchruns(const Variables& variables) {
  World world = counted(kTorchrun, variables);
  if (variables.has(kOwnLauncher)) world.launcher = "the process that started the ranks";
  if (world.size == 1) return world;
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT"})
    if (!variables.has(name))
      base::fail(ErrorCode::kInvalidArgument, "WORLD_SIZE is ", world.size, ", but the environment variable ", name,
                 " is not set; start the ranks by torchrun, or set it to where rank 0 is");
  world.host = variables.text("MASTER_ADDR");
  world.port = static_cast<std::uint16_t>(variables.number("MASTER_PORT", 1, kMostPort));
  // The agent hosts the store then, and PyTorch's ranks keep their keys of each restart apart like this.
  world.store_is_launchers = variables.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (world.store_is_launchers)
    world.prefix =
        "/worker/attempt_" + std::to_string(variables.number_or("TORCHELASTIC_RESTART_COUNT", 0, kMostRanks, 0));
  return world;
}

/// Appends `prefix` and each of what the rest of one name stands for.
void expand_name(std::string_view rest, const std::string& prefix, std::vector<std::string>& hosts);

[[noreturn]] void refuse_list(std::string_view list) {
  throw Error(ErrorCode::kInvalidArgument, "the list of hosts `" + base::excerpt(list) + "` is malformed");
}

std::int64_t number_in(std::string_view digits) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || number < 0) refuse_list(digits);
  return number;
}

/// "01-03": each number has the width of the first.
void expand_range(std::string_view range, std::string_view rest, const std::string& prefix,
                  std::vector<std::string>& hosts) {
  const std::size_t dash = range.find('-');
  const std::string_view first = range.substr(0, dash);
  const std::int64_t begin = number_in(first);
  const std::int64_t end = dash == std::string_view::npos ? begin : number_in(range.substr(dash + 1));
  if (end < begin) refuse_list(range);
  for (std::int64_t i = begin; i <= end; ++i) {
    std::string digits = std::to_string(i);
    if (digits.size() < first.size()) digits.insert(0, first.size() - digits.size(), '0');
    expand_name(rest, prefix + digits, hosts);
  }
}

void expand_name(std::string_view rest, const std::string& prefix, std::vector<std::string>& hosts) {
  const std::size_t open = rest.find('[');
  if (open == std::string_view::npos) {
    if (rest.find(']') != std::string_view::npos || (prefix.empty() && rest.empty())) refuse_list(rest);
    if (hosts.size() >= kMostHosts) refuse_list(rest);
    hosts.push_back(prefix + std::string(rest));
    return;
  }
  const std::size_t close = rest.find(']', open);
  if (close == std::string_view::npos) refuse_list(rest);
  std::string_view ranges = rest.substr(open + 1, close - open - 1);
  for (bool is_last = false; !is_last;) {
    const std::size_t comma = ranges.find(',');
    is_last = comma == std::string_view::npos;
    expand_range(ranges.substr(0, comma), rest.substr(close + 1), prefix + std::string(rest.substr(0, open)), hosts);
    if (!is_last) ranges.remove_prefix(comma + 1);
  }
}

}  // namespace

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

World find_world(const Environment& environment) {
  const Variables variables(environment);
  if (variables.has(kTorchrun.rank) && variables.has(kTorchrun.size)) return torchruns(variables);
  for (const Names& names : {kOpenMpi, kPmi, kSlurm}) {
    if (!variables.has(names.rank) || !variables.has(names.size)) continue;
    World world = counted(names, variables);
    if (names.local_size == nullptr) world.local_size = slurms_local_size(variables, world.size);
    if (world.size > 1) find_place(names, variables, world);
    return world;
  }
  return {};
}

std::vector<std::string> expand_hosts(std::string_view list) {
  std::vector<std::string> hosts;
  std::size_t begin = 0, depth = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size() && list[i] == '[') ++depth;
    if (i < list.size() && list[i] == ']' && depth > 0) --depth;
    if (i < list.size() && (list[i] != ',' || depth > 0)) continue;
    expand_name(list.substr(begin, i - begin), "", hosts);
    begin = i + 1;
  }
  return hosts;
}

}  // namespace byteformer::train
