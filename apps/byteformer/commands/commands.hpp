// The commands: each declares its options and returns what to do once they are parsed. And what all of them need.
#pragma once

#include <functional>

#include "cli.hpp"
#include "console.hpp"
#include "exit_status.hpp"
#include "options.hpp"

namespace byteformer::cli {

/// Runs a command whose options have been parsed; returns the exit status.
using Action = std::function<int(Console&)>;

Action add_train(CommandLine& line);
Action add_classify(CommandLine& line);
Action add_gather(CommandLine& line);
Action add_eval(CommandLine& line);
Action add_encode(CommandLine& line);
Action add_explain(CommandLine& line);
Action add_obfuscate_keygen(CommandLine& line);
Action add_obfuscate_apply(CommandLine& line);
Action add_obfuscate_rekey(CommandLine& line);
Action add_camera_mask(CommandLine& line);
Action add_camera_simulate(CommandLine& line);
Action add_experiments_list(CommandLine& line);
Action add_experiments_show(CommandLine& line);
Action add_experiments_run(CommandLine& line);
Action add_experiments_report(CommandLine& line);
Action add_serve(CommandLine& line);
Action add_inspect(CommandLine& line);
Action add_bench(CommandLine& line);
Action add_import(CommandLine& line);
Action add_export(CommandLine& line);

}  // namespace byteformer::cli
