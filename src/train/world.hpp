// Who trains together: what launchers (torchrun, mpirun, srun, and our own) tell a process in its environment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byteformer::train {

/// The processes of a training, called ranks, as one of them sees them.
struct World {
  int rank = 0, size = 1;
  int local_rank = 0, local_size = 1;  ///< among those of its machine
  std::string host;                    ///< where the store is, through which ranks find each other
  std::uint16_t port = 0;
  bool store_is_launchers = false;  ///< else rank 0 opens it
  std::string prefix;               ///< of the keys in the store; a restart has another one
  std::string launcher;             ///< for messages
};

/// The environment variable by which ranks of `byteformer train --ranks` know the process that started them.
inline constexpr const char* kOwnLauncher = "BYTEFORMER_TRAIN_LAUNCHER";

/// The value of an environment variable; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// That of this process.
Environment process_environment();

/// What the launcher of this process says; one rank where none started it. Looks for torchrun first (RANK, WORLD_SIZE,
/// MASTER_ADDR, MASTER_PORT), then MPI (OMPI_COMM_WORLD_RANK or PMI_RANK and their like), then a step of Slurm
/// (SLURM_PROCID); where a launcher does not say where rank 0 is, MASTER_ADDR and MASTER_PORT do.
/// \throws Error kInvalidArgument naming the variable that is missing or makes no sense.
World find_world(const Environment& environment);

/// The hosts of a list as Slurm writes it: "node[01-03,7],login" is node01, node02, node03, node7, login.
/// \throws Error kInvalidArgument where it is malformed, or has more than a million hosts.
std::vector<std::string> expand_hosts(std::string_view list);

}  // namespace byteformer::train
