// Reads the rows of the table of settings that are a recipe's to say.
#include "experiments/train_settings.hpp"

#include <variant>

#include "experiments/recipe_transforms.hpp"

namespace byteformer::experiments {
namespace {

/// Reads the key of one setting into its member of `request`.
class ReadSetting {
 public:
  ReadSetting(const interop::YamlFile& yaml, const std::string& prefix, const plan::Setting& setting,
              plan::Request& request)
      : yaml_(yaml), path_(prefix + plan::key(setting)), setting_(setting), request_(request) {}

  void operator()(const plan::Flag&) { value<bool>() = yaml_.boolean(path_).value_or(false); }
  void operator()(const plan::Text&) {
    const bool is_list = setting_.member == plan::Member(&plan::Request::transforms);
    value<std::optional<std::string>>() = is_list ? read_transforms(yaml_, path_) : yaml_.text(path_);
  }
  void operator()(const plan::Choice& choice) {
    value<std::optional<std::string>>() = yaml_.choice(path_, choice.values, ErrorCode::kInvalidFormat);
  }
  void operator()(const plan::Whole& range) {
    value<std::optional<std::int64_t>>() = yaml_.integer(path_, range.min, range.max);
  }
  void operator()(const plan::Decimal& range) {
    value<std::optional<double>>() = yaml_.number(path_, range.min, range.max);
  }
  void operator()(const plan::Duration&) {
    value<std::optional<double>>() = yaml_.number(path_, plan::Duration::kMin, plan::Duration::kMax);
  }

 private:
  template <typename T>
  T& value() {
    return request_.*std::get<T plan::Request::*>(setting_.member);
  }

  const interop::YamlFile& yaml_;
  std::string path_;
  const plan::Setting& setting_;
  plan::Request& request_;
};

bool is_for_recipes(plan::Group group) {
  return group == plan::Group::kFiles || group == plan::Group::kModel || group == plan::Group::kSchedule;
}

}  // namespace

plan::Request read_train_settings(const interop::YamlFile& yaml, const std::string& prefix) {
  plan::Request request;
  for (const plan::Setting& setting : plan::settings())
    if (is_for_recipes(setting.group)) std::visit(ReadSetting(yaml, prefix, setting, request), setting.values);
  return request;
}

}  // namespace byteformer::experiments
