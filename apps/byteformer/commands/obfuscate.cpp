// `byteformer obfuscate keygen` and `rekey`: keys, and models for the bytes that they obfuscate.
#include <limits>
#include <memory>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "bytes/key_file.hpp"
#include "cli.hpp"
#include "commands/commands.hpp"
#include "exit_status.hpp"
#include "interop/rekey.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kKeygenDetails =
    R"(A key is a file of 256 bytes that only its owner may read: byte v is what value v becomes. It is drawn from the
system's random source. It is never shown; what is printed is its fingerprint, the SHA-256 of these bytes, by which a
model names its key.

With --seed it is the permutation that PyTorch's generator gives for N, 2147483647 in the published experiments. That
is no secret: whoever guesses the seed has the key.

Examples:
  byteformer obfuscate keygen -o my.key
  byteformer obfuscate keygen -o paper.key --seed 2147483647)";

constexpr const char* kRekeyDetails =
    R"(Row key[v] of the new byte embedding is row v of the old one, and nothing else changes: for obfuscated bytes the new
model gives bit for bit the logits that the old one gives for the bytes before. Its configuration names the key by its
fingerprint (the published permutation by its seed). NEWMODEL gets config.json and model.safetensors only.

KEY may also be a pipe, so that a key that is kept elsewhere never lies in a file: --key <(pass show my.key | base64 -d).

Obfuscated files are classified with --as-is; plain ones with --key KEY, which prepares and obfuscates them. A model can
be rekeyed again without being un-keyed: with --again the new key comes on top of the old one, which need not be known.
Files that are obfuscated by the old key are then to be obfuscated once more, by the new one.

Whoever has both models has the key, and whoever has the new one can use it. See docs/privacy.md.

Examples:
  byteformer obfuscate rekey models/cifar10 --key my.key -o models/keyed
  byteformer obfuscate rekey models/keyed --key other.key --again -o models/twice)";

struct KeygenOptions {
  std::optional<std::string> output;
  std::optional<std::int64_t> seed;
  bool force = false;
};

struct RekeyArguments {
  std::optional<std::string> model, key, output;
  bool again = false;
};

int keygen(const KeygenOptions& options, Console& console) {
  const std::string path = options.output.value_or("byteformer.key");
  if (path == "-") throw UsageError("a key is never shown; -o names a file for it");
  const auto key =
      options.seed ? bytes::BytePermutation::of_seed(static_cast<std::uint64_t>(*options.seed)) : bytes::random_key();
  try {
    bytes::write_key(path, key, options.force);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kAlreadyExists) throw;
    throw UsageError(std::string(error.what()) +
                     "; --force replaces it, and what only the old key can undo stays obfuscated for ever");
  }
  console.out << key.fingerprint() << "\n";
  return kExitOk;
}

int rekey(const RekeyArguments& arguments, Console& console) {
  const prepare::Preprocess preprocess = interop::rekey_model({.model = arguments.model.value(),
                                                               .key = bytes::read_key(arguments.key.value()),
                                                               .output = arguments.output.value(),
                                                               .adds_to_keys = arguments.again});
  console.out << base::printable(*arguments.output) + ": reads " + prepare::describe(preprocess) + "\n";
  return kExitOk;
}

}  // namespace

Action add_obfuscate_keygen(CommandLine& line) {
  auto options = std::make_shared<KeygenOptions>();
  add_text(line, "-o,--output", options->output, "KEY", "File to write (default: byteformer.key)");
  add_number(line, "--seed", options->seed, {0, std::numeric_limits<std::uint32_t>::max()},
             "The open permutation of this seed instead of a secret one");
  add_flag(line, "-f,--force", options->force, "Replace KEY if it exists");
  set_details(line, kKeygenDetails);
  return [options](Console& console) { return keygen(*options, console); };
}

Action add_obfuscate_rekey(CommandLine& line) {
  auto arguments = std::make_shared<RekeyArguments>();
  add_text(line, "MODEL", arguments->model, "DIR", "Model folder").required();
  add_text(line, "--key", arguments->key, "KEY", "Key that files for the new model are obfuscated by").required();
  add_text(line, "-o,--output", arguments->output, "DIR", "Model folder to create; must not exist").required();
  add_flag(line, "--again", arguments->again, "MODEL is keyed already: put this key on top");
  set_details(line, kRekeyDetails);
  return [arguments](Console& console) { return rekey(*arguments, console); };
}

}  // namespace byteformer::cli
