// The models that are served: by name and version, loaded, replaced while requests run, taken away.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "byteformer/classifier.hpp"
#include "bytes/byte_permutation.hpp"
#include "format/config.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::serve {

/// Where a model comes from, and what it is called in addresses.
struct ModelSource {
  std::string name, version;
  std::filesystem::path dir;
};

/// "DIR", "NAME=DIR" or "NAME@VERSION=DIR"; without a name it is that of the folder, without a version "1".
/// \throws Error kInvalidArgument where name or version has other characters than letters, digits, ".", "_" and "-",
/// and for the name "stats".
ModelSource parse_model_source(const std::string& text);

/// A model in memory. What is running keeps it, whatever becomes of its name.
struct Model {
  ModelSource source;
  Classifier classifier;
  format::ModelConfig config;
  prepare::Preprocess preprocess;      ///< what is done to files: nothing where a secret key of the model is missing
  prepare::Preprocess after_pieces;    ///< the same, of pieces_of() a file
  bool reads_obfuscated_only = false;  ///< a secret key is missing: files must come prepared and obfuscated

  /// Whether this is a secret key of the model.
  bool knows(const bytes::BytePermutation& key) const;

  /// What the model reads of a file: a few places where `preprocess` says so, else all of it.
  std::vector<std::uint8_t> pieces_of(std::vector<std::uint8_t> file) const {
    const auto& pieces = preprocess.transforms.pieces;
    return pieces ? bytes::cut(*pieces, std::move(file)) : std::move(file);
  }

  /// Whether bytes can go on to the model before the file has ended.
  bool streams() const noexcept { return preprocess.is_bytes() && !preprocess.transforms.needs_length(); }

  /// Whether only the pieces of a file of known length need be kept.
  bool streams_pieces() const noexcept { return preprocess.is_bytes() && preprocess.transforms.pieces.has_value(); }
};

/// \param keys  secret keys, of whichever models know them
/// \throws Error as Classifier::load() and prepare::read_preprocess().
std::shared_ptr<const Model> load_model(const ModelSource& source, const LoadOptions& options,
                                        const std::vector<bytes::BytePermutation>& keys);

/// Thread-safe. Loading happens outside of the lock: requests go on meanwhile.
class Models {
 public:
  using Load = std::function<std::shared_ptr<const Model>(const ModelSource&)>;

  struct State {
    ModelSource source;
    std::shared_ptr<const Model> model;  ///< null: not loaded
    std::string reason;                  ///< why not, for clients
  };

  /// Loads all of them. \throws Error kInvalidArgument where two have the same name and version; what `load` throws
  Models(const std::vector<ModelSource>& sources, Load load);

  /// \param version  nothing: the highest that is loaded
  /// \throws Refusal 404 where there is no such model; 400 where it is not loaded
  std::shared_ptr<const Model> find(std::string_view name, std::optional<std::string_view> version = {}) const;

  /// The model, where there is only one name. \throws Refusal 400 where there are several; as find()
  std::shared_ptr<const Model> only(std::optional<std::string_view> version = {}) const;

  std::vector<State> states() const;
  bool all_ready() const;  ///< but for those that were unloaded

  /// Loads all anew but those that were unloaded. \returns a message for each that failed, which stays as it was.
  std::vector<std::string> reload();

  /// All versions; one that fails stays as it was. \returns why, empty where none failed \throws Refusal 404
  std::string load(std::string_view name);
  void unload(std::string_view name);  ///< \throws Refusal 404

  /// Whether files have changed since the last call, and lie still since the call before; not of what was unloaded.
  bool have_changed();

 private:
  struct Entry {
    State state;
    std::string stamp, next_stamp;  ///< of the files
    bool is_unloaded() const;       ///< because a client wanted it
  };

  std::string replace(std::size_t index);

  Load load_;
  std::mutex loading_;  ///< held while models are loaded: one at a time
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace byteformer::serve
