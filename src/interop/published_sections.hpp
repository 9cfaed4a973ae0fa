// The sections of a published configuration that say what files look like, and the keys that nobody asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "interop/published_run.hpp"
#include "interop/yaml_file.hpp"

namespace byteformer::interop {

/// \throws Error kUnsupported if there is another number than the `only` one that is built.
void require_number(const YamlFile& yaml, std::string_view path, double only);

// Each reads one section into `run` and throws as parse_published_run().
void read_image_files(const YamlFile& yaml, PublishedRun& run);
void read_sound_files(const YamlFile& yaml, PublishedRun& run);

/// What `yaml` says beyond what it was asked for: a remark that names the known keys without effect, and one for each
/// unknown key, with its line and the nearest known one.
/// \param unused a section that does not apply to this run, with its dot at the end
/// \throws Error kInvalidFormat for an unknown key of a section that decides what is computed.
std::vector<std::string> remarks_on_keys(const YamlFile& yaml, std::string_view unused);

}  // namespace byteformer::interop
