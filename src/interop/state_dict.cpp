// The search behind state_dict.hpp.
#include "interop/state_dict.hpp"

#include "format/text.hpp"

namespace byteformer::interop {
namespace {

using format::excerpt;
using format::fail;
using pickle::Dict;
using pickle::Pickle;

constexpr std::size_t kMaxListedKeys = 6;

const Dict* find_nested(const Pickle& pickle, const Dict& outer) {
  for (const auto& [key, value] : outer.items) {
    const auto* name = pickle.get_if<std::string_view>(key);
    if (name == nullptr || (*name != "state_dict" && *name != "model_state_dict")) continue;
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

}  // namespace

std::map<std::string, const pickle::TensorRef*, std::less<>> find_state_dict(const Pickle& pickle,
                                                                             const std::string& source) {
  const Dict* dict = pickle.get_if<Dict>(pickle.root);
  if (dict == nullptr)
    fail(ErrorCode::kInvalidFormat, source, ": holds ", pickle::kind_of(pickle.values[pickle.root]),
         ", expected a state dict; save it with torch.save(model.state_dict(), path)");
  if (const Dict* nested = find_nested(pickle, *dict)) dict = nested;
  std::map<std::string, const pickle::TensorRef*, std::less<>> tensors;
  for (const auto& [key, value] : dict->items) {
    const auto* name = pickle.get_if<std::string_view>(key);
    const auto* tensor = pickle.get_if<pickle::TensorRef>(value);
    if (name == nullptr || tensor == nullptr)
      fail(ErrorCode::kInvalidFormat, source, ": holds no state dict: ",
           name != nullptr ? "\"" + excerpt(*name) + "\" is " : "a key is no string, its value ",
           pickle::kind_of(pickle.values[value]), ", expected a tensor; its keys are ", listed_keys(pickle, *dict),
           "; looked for a state dict there and under state_dict and model_state_dict");
    if (!tensors.emplace(*name, tensor).second)
      fail(ErrorCode::kInvalidFormat, source, ": the state dict has ", excerpt(*name), " twice");
  }
  if (tensors.empty()) fail(ErrorCode::kInvalidFormat, source, ": the state dict is empty");
  return tensors;
}

}  // namespace byteformer::interop
