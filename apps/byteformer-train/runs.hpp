// What byteformer-train does: trains, or integrates gradients.
#pragma once

#include <exception>
#include <filesystem>
#include <string>

#include "plan/settings.hpp"

namespace byteformer::train_app {

inline constexpr int kExitInterrupted = 130;

/// A run that failed, for people and for whoever started this.
struct Failure {
  std::string message;
  int status = 3;
};
Failure failure_of(const std::exception& error);

/// Says on standard error why `command` failed. \return the status
int complain(const char* command, const Failure& failure);

/// Ends `command` with `status`, or with 3 where standard output could not be written; and without LibTorch's
/// destructors, which take its operators apart for a tenth of a second.
[[noreturn]] void finish(const char* command, int status);

/// From a request to a model folder: looks at the data, plans, trains, reports. With the other ranks where a launcher
/// started this process, or `request` asks for some.
/// \return the exit status: 0 done, 130 interrupted and saved. \throws Error
int train(const plan::Request& request);

/// Forks this process into `request.ranks` ranks, passes signals on, and waits for their end.
/// \return their exit status. \throws Error kIo where they cannot be started.
int launch_ranks(const plan::Request& request);

/// Seconds that a rank is waited for.
double rank_timeout_s(const plan::Request& request);

/// For `byteformer explain`: reads the file from standard input and writes the answer to standard output.
/// \param request a GradientRequest as JSON
/// \return the exit status. \throws Error
int integrate_gradients(const std::string& request, const std::filesystem::path& model_dir);

}  // namespace byteformer::train_app
