// Where a checkpoint keeps its weights: at the top, or in a dict under one of the names that training scripts use.
#include "interop/state_dict.hpp"

#include <array>

#include "format/text.hpp"

namespace byteformer::interop {
namespace {

using format::excerpt;
using format::fail;
using pickle::Dict;
using pickle::Foreign;
using pickle::Pickle;

constexpr std::size_t kMaxListedKeys = 6;
constexpr std::array<std::string_view, 4> kUsualKeys{"state_dict", "model_state_dict", "model", "weights"};

bool holds_tensors(const Pickle& pickle, const Dict& dict) {
  for (const auto& item : dict.items)
    if (pickle.get_if<pickle::TensorRef>(item.second) != nullptr) return true;
  return false;
}

const Dict* find_nested(const Pickle& pickle, const Dict& outer) {
  for (const std::string_view usual : kUsualKeys)
    for (const auto& [key, value] : outer.items) {
      const auto* name = pickle.get_if<std::string_view>(key);
      if (name == nullptr || *name != usual) continue;
      if (const Dict* nested = pickle.get_if<Dict>(value)) return nested;
    }
  return nullptr;
}

std::string listed_keys(const Pickle& pickle, const Dict& dict) {
  std::string text;
  for (std::size_t i = 0; i < dict.items.size() && i < kMaxListedKeys; ++i) {
    const auto* name = pickle.get_if<std::string_view>(dict.items[i].first);
    text += (i > 0 ? ", " : "") + (name != nullptr ? excerpt(*name) : "(no string)");
  }
  return text + (dict.items.size() > kMaxListedKeys ? ", ..." : "");
}

[[noreturn]] void refuse(const Foreign& foreign, const std::string& source) {
  fail(ErrorCode::kUnsupported, base::About{source}, "the pickle refers to the global ", excerpt(foreign.module), '.',
       excerpt(foreign.name), ", which is not on the list of what a state dict needs; nothing was executed. ",
       "Save the weights alone, with torch.save(model.state_dict(), path)");
}

[[noreturn]] void fail_without_tensors(const Pickle& pickle, const Dict& dict, const std::string& source) {
  if (dict.items.empty()) fail(ErrorCode::kInvalidFormat, base::About{source}, "the state dict is empty");
  const auto& [key, value] = dict.items.front();
  const auto* name = pickle.get_if<std::string_view>(key);
  fail(ErrorCode::kInvalidFormat, base::About{source},
       "holds no state dict: ", name != nullptr ? "\"" + excerpt(*name) + "\" is " : "a key is no string, its value ",
       pickle::kind_of(pickle.values[value]), ", expected a tensor; its keys are ", listed_keys(pickle, dict),
       "; looked for a state dict there and under ", format::joined(kUsualKeys[0], ", ", kUsualKeys[1], ", "),
       format::joined(kUsualKeys[2], " and ", kUsualKeys[3]));
}

}  // namespace

std::map<std::string, const pickle::TensorRef*, std::less<>> find_state_dict(const Pickle& pickle,
                                                                             const std::string& source) {
  if (const auto* foreign = pickle.get_if<Foreign>(pickle.root)) refuse(*foreign, source);
  const Dict* dict = pickle.get_if<Dict>(pickle.root);
  if (dict == nullptr)
    fail(ErrorCode::kInvalidFormat, base::About{source}, "holds ", pickle::kind_of(pickle.values[pickle.root]),
         ", expected a state dict; save it with torch.save(model.state_dict(), path)");
  if (const Dict* nested = find_nested(pickle, *dict)) dict = nested;
  if (!holds_tensors(pickle, *dict)) fail_without_tensors(pickle, *dict, source);
  std::map<std::string, const pickle::TensorRef*, std::less<>> tensors;
  for (const auto& [key, value] : dict->items) {
    const auto* name = pickle.get_if<std::string_view>(key);
    const auto* tensor = pickle.get_if<pickle::TensorRef>(value);
    if (const auto* foreign = pickle.get_if<Foreign>(value))
      refuse(*foreign, source);                          // among weights, not beside them
    if (name == nullptr || tensor == nullptr) continue;  // an epoch, a score
    if (!tensors.emplace(*name, tensor).second)
      fail(ErrorCode::kInvalidFormat, base::About{source}, "the state dict has ", excerpt(*name), " twice");
  }
  return tensors;
}

}  // namespace byteformer::interop
