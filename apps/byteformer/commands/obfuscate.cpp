// `byteformer obfuscate`: keys, and what they do to files and models.
#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "bytes/byte_permutation.hpp"
#include "classify/inputs.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "interop/import_export.hpp"
#include "output/output_files.hpp"

namespace byteformer::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDetails =
    R"(One file becomes the file OUTPUT; several, or the files below folders with -r, go into the folder OUTPUT under their
own names, and so does one where OUTPUT is a folder or ends in a slash. `-` is standard input and, as OUTPUT, standard
output; it is the default for `-`. Files of any length take constant memory, and are written whole or not at all.

Every byte is replaced, the header too: an obfuscated picture is no picture any more. A model of prepared files wants
them prepared first: `byteformer encode --like MODEL`, then this. This is no encryption: see docs/privacy.md.

A file that cannot be read costs one line on standard error and exit status 1; the others are written.

Examples:
  byteformer obfuscate apply --key my.key photo.fhwc -o secret.fhwc
  byteformer obfuscate apply --key my.key -r photos/ -o secret
  byteformer obfuscate apply --key my.key --inverse secret/a.fhwc -o a.fhwc
  arecord | byteformer obfuscate apply --key my.key - | ssh host 'cat > sound')";

struct Options {
  InputArguments inputs;
  std::optional<std::string> model, output;
  std::vector<std::string> keys;
  std::optional<std::int64_t> seed;
  bool inverse = false, again = false, force = false;
};

bool takes_one_input(const InputArguments& inputs) {
  return inputs.paths.size() == 1 && !inputs.files_from && !inputs.is_recursive;
}

bool reads_standard_input(const InputArguments& inputs) {
  return std::ranges::find(inputs.paths, "-") != inputs.paths.end();
}

void check(const Options& options, const Console& console) {
  const InputArguments& inputs = options.inputs;
  if (inputs.paths.empty() && !inputs.files_from) throw UsageError("no files given; `-` reads standard input");
  check(inputs, console);
  if (!options.output && !(takes_one_input(inputs) && reads_standard_input(inputs)))
    throw UsageError("-o is required: a file for one input, a folder for several");
  if (options.output == "-" && !takes_one_input(inputs))
    throw UsageError("-o - takes one input; for several, -o names a folder");
}

/// \throws UsageError where several are given, of which an order would have to be guessed
const std::string& key_path(const Options& options) {
  if (options.keys.size() != 1)
    throw UsageError(base::joined(kKeyOption, " names one key here; run this once for each"));
  return options.keys.front();
}

bytes::Transforms transforms_of(const Options& options) {
  const bytes::BytePermutation key = bytes::read_key(key_path(options));
  return {.permutations = {options.inverse ? bytes::BytePermutation::of_key(bytes::inverse(key.table())) : key}};
}

/// Whether the output is a folder, whatever the number of inputs.
bool names_a_folder(const fs::path& output) { return !output.has_filename() || base::is_folder(output); }

/// \throws Error where what is written at `output` would replace the key, without which it could not be read.
void keep_key(const Options& options, const fs::path& output) { refuse_to_replace(output, {key_path(options)}); }

int apply_to_one(const Options& options, const bytes::Transforms& obfuscation, Console& console) {
  const Input input = open_inputs(options.inputs, console).next().value();
  const std::string output = options.output.value_or("-");
  if (output != "-") keep_key(options, output);
  ProgressBar progress(console, 1, false);
  OutputTally tally;
  tally.add(output == "-" ? stream_transformed(obfuscation, input, console.in, console.out)
                          : write_transformed(obfuscation, input, console.in, output, options.force),
            progress, console);
  return tally.finish(output, "obfuscate", console);
}

int apply_to_all(const Options& options, const bytes::Transforms& obfuscation, Console& console) {
  if (reads_standard_input(options.inputs))
    throw UsageError("`-` is standard input, which has no name in a folder; -o FILE gives it one");
  Inputs inputs = open_inputs(options.inputs, console);
  const OutputFolder folder(*options.output);
  WrittenOutputs written(*options.output);
  const bool writes_where_it_reads = options.force && inputs.were_given(*options.output);
  const auto is_input = [&](const fs::path& file) { return writes_where_it_reads || inputs.were_given(file); };
  const auto write = [&](const Input& input) -> OutputResult {  // the first of two with one name is written
    if (folder.holds(input)) return {.is_left_out = true};
    if (input.error) return {.error = input.error};
    const fs::path output = folder.place_of(input);
    const auto error = error_of([&] {
      written.check(output);
      keep_key(options, output);
      std::error_code ignored;  // what would replace its own input is told so later
      if (options.force && !fs::equivalent(input.path, output, ignored)) refuse_to_replace_input(output, is_input);
    });
    if (error) return {.error = base::about(input.path, *error)};
    written.add(output, input.path);
    return write_transformed(obfuscation, input, console.in, output, options.force);
  };
  ProgressBar progress(console, inputs.total(), true);
  OutputTally tally;
  while (const std::optional<Input> input = inputs.next()) {
    tally.add(write(*input), progress, console);
    progress.show(tally.num_done());
  }
  progress.clear();
  return tally.finish(*options.output, "obfuscate", console);
}

int apply(const Options& options, Console& console) {
  check(options, console);
  const bytes::Transforms obfuscation = transforms_of(options);
  watch_for_interrupt();
  const bool is_single = takes_one_input(options.inputs) && !(options.output && names_a_folder(*options.output));
  return is_single ? apply_to_one(options, obfuscation, console) : apply_to_all(options, obfuscation, console);
}

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

int keygen(const Options& options, Console& console) {
  const std::string path = options.output.value_or("byteformer.key");
  if (path == "-") throw UsageError("a key is never shown; -o names a file for it");
  const auto key =
      options.seed ? bytes::BytePermutation::of_seed(static_cast<std::uint64_t>(*options.seed)) : bytes::random_key();
  try {
    bytes::write_key(path, key, options.force);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kAlreadyExists) throw;
    base::fail(ErrorCode::kAlreadyExists, base::About{path}, "exists already; ", kForceOption,
               " replaces it, and what only the old key can undo stays obfuscated for ever");
  }
  console.out << key.fingerprint() << "\n";
  return kExitOk;
}

int rekey(const Options& options, Console& console) {
  const prepare::Preprocess preprocess = interop::rekey_model({.model = options.model.value(),
                                                               .key = bytes::read_key(key_path(options)),
                                                               .output = options.output.value(),
                                                               .adds_to_keys = options.again});
  console.out << base::printable(*options.output) + ": reads " + prepare::describe(preprocess) + "\n";
  return kExitOk;
}

}  // namespace

Action add_obfuscate_apply(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_texts(line, kKeyOption, options->keys, "KEY", "Key, of `byteformer obfuscate keygen`").required();
  add_input_arguments(line, options->inputs, "Obfuscate", "Files to obfuscate; `-` is standard input");
  add_text(line, names_of(&plan::Request::output), options->output, "DIR|FILE",
           "Where to write; `-` is standard output");
  add_flag(line, "--inverse", options->inverse, "Undo it: from obfuscated bytes to plain ones");
  add_force(line, options->force, "Overwrite outputs that exist");
  line.details = kDetails;
  return [options](Console& console) { return apply(*options, console); };
}

Action add_obfuscate_keygen(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_text(line, names_of(&plan::Request::output), options->output, "KEY", "File to write (default: byteformer.key)");
  add_setting(line, &plan::Request::seed, options->seed, "The open permutation of this seed instead of a secret one");
  add_force(line, options->force, "Replace KEY if it exists");
  line.details = kKeygenDetails;
  return [options](Console& console) { return keygen(*options, console); };
}

Action add_obfuscate_rekey(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_text(line, "MODEL", options->model, "DIR", "Model folder").required();
  add_texts(line, kKeyOption, options->keys, "KEY", "Key that files for the new model are obfuscated by").required();
  add_text(line, names_of(&plan::Request::output), options->output, "DIR", "Model folder to create; must not exist")
      .required();
  add_flag(line, "--again", options->again, "MODEL is keyed already: put this key on top");
  line.details = kRekeyDetails;
  return [options](Console& console) { return rekey(*options, console); };
}

}  // namespace byteformer::cli
