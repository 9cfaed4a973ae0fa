// Implementation of system_summary.hpp.
#include "inspect/system_summary.hpp"

#include <fmt/format.h>

#include <CLI/Version.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "byteformer/version.hpp"
#include "kernels/kernels.hpp"
#include "output/json.hpp"
#include "output/numbers.hpp"
#include "system/machine.hpp"

namespace byteformer::cli {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

std::vector<std::pair<std::string, std::string>> libraries() {
  return {{"CLI11", CLI11_VERSION},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)}};
}

}  // namespace

std::string system_text() {
  const std::string_view in_use = kernels::default_kernels().name;
  std::string instruction_sets;
  for (const kernels::Kernels* available : kernels::available_kernels())
    instruction_sets += fmt::format("{}{}{}", instruction_sets.empty() ? "" : ", ", available->name,
                                    available->name == in_use ? " (in use)" : "");
  std::string built_with = compiler();
  for (const auto& [name, version] : libraries()) built_with += fmt::format(", {} {}", name, version);
  return fmt::format(
      "byteformer         {}\n"
      "instruction sets   {}\n"
      "processor          {}\n"
      "processors to use  {}\n"
      "memory             {}\n"
      "system             {}\n"
      "built with         {}\n",
      version(), instruction_sets, processor_name(), num_available_processors(), memory_size(physical_memory()),
      operating_system(), built_with);
}

std::string system_json() {
  JsonWriter json;
  json.begin_object().field("version", version());
  json.key("instruction_sets").begin_array();
  for (const kernels::Kernels* available : kernels::available_kernels()) json.value(available->name);
  json.end_array().field("instruction_set_in_use", kernels::default_kernels().name);
  json.field("processor", processor_name()).field("processors", num_available_processors());
  json.field("memory_bytes", physical_memory()).field("system", operating_system()).field("compiler", compiler());
  json.key("libraries").begin_object();
  for (const auto& [name, version] : libraries()) json.field(name, version);
  return json.end_object().end_object().text() + "\n";
}

}  // namespace byteformer::cli
