// The commands: each declares its options on an App and returns what to do once they are parsed.
#pragma once

#include <functional>

#include "console.hpp"

namespace CLI {
class App;
}

namespace byteformer::cli {

/// Runs a command whose options have been parsed; returns the exit status.
using Action = std::function<int(Console&)>;

Action add_train(CLI::App& app);
Action add_classify(CLI::App& app);
Action add_eval(CLI::App& app);
Action add_encode(CLI::App& app);
Action add_explain(CLI::App& app);
Action add_obfuscate_keygen(CLI::App& app);
Action add_obfuscate_apply(CLI::App& app);
Action add_obfuscate_rekey(CLI::App& app);
Action add_camera_mask(CLI::App& app);
Action add_camera_simulate(CLI::App& app);
Action add_experiments_list(CLI::App& app);
Action add_experiments_show(CLI::App& app);
Action add_experiments_run(CLI::App& app);
Action add_experiments_report(CLI::App& app);
Action add_inspect(CLI::App& app);
Action add_bench(CLI::App& app);
Action add_import(CLI::App& app);
Action add_export(CLI::App& app);
Action add_completions(CLI::App& app);
Action add_man(CLI::App& app);

}  // namespace byteformer::cli
