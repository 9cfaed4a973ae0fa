// The form in which a model reads files, and what is not in it.
#pragma once

#include <filesystem>
#include <optional>

#include "byteformer/classifier.hpp"
#include "format/config.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::api {

/// Refuses files that evidently are not in the form that a model reads. Thread-safe.
class ExpectedForm {
 public:
  /// Refuses nothing.
  ExpectedForm() = default;
  /// That of the model in `model_dir`. \throws Error as prepare::parse_preprocess().
  ExpectedForm(const format::ModelConfig& config, const std::filesystem::path& model_dir);

  /// Each throws Error kNotPrepared where a whole file is not in form.
  void check(Bytes file) const;
  void check(Bytes file, const std::filesystem::path& path) const;  ///< and says where the bytes are from
  /// Reads the file, if that is needed to judge it. \throws Error as base::InputFile, too.
  void check(const std::filesystem::path& path) const;

  /// The same of a file that comes in pieces; one thread at a time.
  class Watch {
   public:
    /// `form` must outlive this.
    explicit Watch(const ExpectedForm& form) : form_(&form) {
      if (form.preprocess_) watch_.emplace(*form.preprocess_);
    }
    void push(Bytes piece) {
      if (watch_) watch_->push(piece);
    }
    /// \throws Error kNotPrepared where what came so far is no whole file in form.
    void check() const {
      if (watch_ && !watch_->is_as_read()) form_->refuse();
    }

   private:
    const ExpectedForm* form_;
    std::optional<prepare::FormWatch> watch_;
  };

 private:
  [[noreturn]] void refuse() const;

  std::optional<prepare::Preprocess> preprocess_;  // nothing: all files are as they should be
};

}  // namespace byteformer::api
