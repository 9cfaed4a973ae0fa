// Loads models beside those that serve, and swaps pointers.
#include "serve/models.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "format/model_folder.hpp"
#include "media/codecs.hpp"
#include "serve/exchange.hpp"

namespace byteformer::serve {
namespace {

constexpr std::size_t kLongestModelName = 64;
constexpr const char* kUnloaded = "unloaded";
constexpr const char* kStatistics = "stats";

bool is_name(std::string_view text) noexcept {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= kLongestModelName && std::ranges::all_of(text, is_allowed) && text != "." &&
         text != "..";
}

/// Versions that are numbers by their value, others as text and before those.
bool is_lower(const std::string& a, const std::string& b) {
  const auto is_number = [](const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (is_number(a) != is_number(b)) return is_number(b);
  if (!is_number(a)) return a < b;
  const auto value = [](std::string_view text) {
    return text.substr(std::min(text.find_first_not_of('0'), text.size()));
  };
  const auto key = [&](const std::string& text) { return std::tuple(value(text).size(), value(text), text); };
  return key(a) < key(b);
}

/// What tells a file from the one that stood there before.
std::string stamp_of(const std::filesystem::path& dir) {
  std::string stamp;
  for (const char* file : {"config.json", "model.safetensors"}) {
    struct stat status {};
    if (::stat((dir / file).c_str(), &status) == 0)
      stamp += base::joined(status.st_ino, ' ', status.st_size, ' ', status.st_mtim.tv_sec, ' ', status.st_mtim.tv_nsec,
                            ';');
    else
      stamp += "none;";
  }
  return stamp;
}

[[noreturn]] void refuse_unknown(std::string_view name) {
  throw Refusal{404, base::joined("there is no model `", base::excerpt(name), "` here")};
}

}  // namespace

ModelSource parse_model_source(const std::string& text) {
  ModelSource source{"", "1", text};
  std::error_code ignored;
  const std::size_t equals = text.find('=');
  if (equals != std::string::npos && !std::filesystem::exists(text, ignored)) {
    source.name = text.substr(0, equals);
    source.dir = text.substr(equals + 1);
    if (const std::size_t at = source.name.find('@'); at != std::string::npos) {
      source.version = source.name.substr(at + 1);
      source.name.resize(at);
    }
  } else {
    const std::filesystem::path whole = std::filesystem::path(text).lexically_normal();
    source.name = (whole.has_filename() ? whole : whole.parent_path()).filename().native();
  }
  if (!is_name(source.name) || !is_name(source.version) || source.dir.empty())
    base::fail(ErrorCode::kInvalidArgument, "the model `", base::excerpt(text),
               "` needs a name of letters, digits, `.`, `_` and `-`: NAME=DIR or NAME@VERSION=DIR");
  if (source.name == kStatistics)
    base::fail(ErrorCode::kInvalidArgument, "no model can be called ", kStatistics, ", because /v2/models/", kStatistics,
               " is an address of its own");
  return source;
}

std::shared_ptr<const Model> load_model(const ModelSource& source, const LoadOptions& options,
                                        const std::vector<bytes::BytePermutation>& keys) {
  Model model{source,
              Classifier::load(source.dir, options),
              format::read_config(source.dir),
              prepare::read_preprocess(source.dir),
              {}};
  for (const bytes::BytePermutation& key : keys) {
    try {
      bytes::use_keys(model.preprocess.transforms, std::span(&key, 1));
    } catch (const Error&) {  // the key of another model
    }
  }
  if (bytes::find_without_key(model.preprocess.transforms) != nullptr) {
    model.reads_obfuscated_only = true;
    model.preprocess = {};
  }
  model.after_pieces = model.preprocess;
  model.after_pieces.transforms.pieces.reset();
  // Now and not at the first request, which may come when no descriptor is left; a module that is missing is told here.
  if (!model.preprocess.is_bytes()) media::codecs();
  return std::make_shared<const Model>(std::move(model));
}

bool Model::knows(const bytes::BytePermutation& key) const {
  const prepare::Preprocess as_written = prepare::parse_preprocess(config.preprocess, "config.json");
  return std::ranges::find(as_written.transforms.permutations, key.fingerprint(),
                           &bytes::BytePermutation::fingerprint) != as_written.transforms.permutations.end();
}

Models::Models(const std::vector<ModelSource>& sources, Load load) : load_(std::move(load)) {
  for (const ModelSource& source : sources) {
    for (const Entry& entry : entries_)
      if (entry.state.source.name == source.name && entry.state.source.version == source.version)
        base::fail(ErrorCode::kInvalidArgument, "the model ", source.name, " has version ", source.version,
                   " twice; name them NAME@VERSION=DIR");
    const std::string stamp = stamp_of(source.dir);
    entries_.push_back({{source, load_(source), ""}, stamp, stamp});
  }
}

std::shared_ptr<const Model> Models::find(std::string_view name, std::optional<std::string_view> version) const {
  const std::lock_guard lock(mutex_);
  const State* best = nullptr;
  bool is_known = false;
  for (const Entry& entry : entries_) {
    const State& state = entry.state;
    if (state.source.name != name || (version && state.source.version != *version)) continue;
    is_known = true;
    if (state.model && (best == nullptr || is_lower(best->source.version, state.source.version))) best = &state;
  }
  if (!is_known && version)
    throw Refusal{404, base::joined("there is no version `", base::excerpt(*version), "` of a model `",
                                    base::excerpt(name), "` here")};
  if (!is_known) refuse_unknown(name);
  if (best == nullptr) throw Refusal{400, base::joined("the model `", name, "` is not loaded")};
  return best->model;
}

std::shared_ptr<const Model> Models::only(std::optional<std::string_view> version) const {
  {
    const std::lock_guard lock(mutex_);
    const std::string& first = entries_.front().state.source.name;
    const auto is_other = [&](const Entry& entry) { return entry.state.source.name != first; };
    if (std::ranges::any_of(entries_, is_other)) throw Refusal{400, "there are several models here: add ?model=NAME"};
  }
  return find(entries_.front().state.source.name, version);
}

std::vector<Models::State> Models::states() const {
  const std::lock_guard lock(mutex_);
  std::vector<State> states;
  for (const Entry& entry : entries_) states.push_back(entry.state);
  return states;
}

bool Models::all_ready() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(entries_, [](const Entry& entry) { return entry.state.model || entry.is_unloaded(); });
}

/// Loads the model of an entry anew; the message where that fails.
std::string Models::replace(std::size_t index) {
  ModelSource source;
  {
    const std::lock_guard lock(mutex_);
    source = entries_[index].state.source;
  }
  const std::string stamp = stamp_of(source.dir);
  std::shared_ptr<const Model> model;
  std::string reason;
  try {
    model = load_(source);
  } catch (const std::exception& error) {
    reason = error.what();
  }
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[index];
  entry.stamp = entry.next_stamp = stamp;           // what failed is tried again when it changes
  if (model) entry.state.model = std::move(model);  // the last request that runs on the old one drops it
  entry.state.reason = entry.state.model ? "" : "cannot be loaded";  // `reason` may name paths
  return reason;
}

std::vector<std::string> Models::reload() {
  const std::lock_guard one_at_a_time(loading_);
  std::vector<std::string> failures;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    {
      const std::lock_guard lock(mutex_);
      if (entries_[i].is_unloaded()) continue;
    }
    if (const std::string failure = replace(i); !failure.empty()) failures.push_back(failure);
  }
  return failures;
}

bool Models::Entry::is_unloaded() const { return !state.model && state.reason == kUnloaded; }

std::string Models::load(std::string_view name) {
  const std::lock_guard one_at_a_time(loading_);
  std::string failures;
  bool is_known = false;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].state.source.name != name) continue;
    is_known = true;
    if (const std::string failure = replace(i); !failure.empty())
      failures += (failures.empty() ? "" : "; ") + failure;
  }
  if (!is_known) refuse_unknown(name);
  return failures;
}

void Models::unload(std::string_view name) {
  const std::lock_guard one_at_a_time(loading_);
  const std::lock_guard lock(mutex_);
  bool is_known = false;
  for (Entry& entry : entries_) {
    if (entry.state.source.name != name) continue;
    is_known = true;
    entry.state.model.reset();
    entry.state.reason = kUnloaded;
  }
  if (!is_known) refuse_unknown(name);
}

bool Models::have_changed() {
  const std::lock_guard lock(mutex_);
  bool have = false;
  for (Entry& entry : entries_) {
    if (entry.is_unloaded()) continue;
    const std::string stamp = stamp_of(entry.state.source.dir);
    have |= stamp == entry.next_stamp && stamp != entry.stamp;
    entry.next_stamp = stamp;
  }
  return have;
}

}  // namespace byteformer::serve
