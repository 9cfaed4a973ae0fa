// The parts of an explanation's HTML page.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "explain/explained_file.hpp"
#include "explain/heat_scale.hpp"
#include "explain/medium_heat.hpp"

namespace byteformer::cli {

/// CSS of all parts, for pages in the style of chart::html_page().
std::string page_style();

/// Where in the file bytes speak for (up) or against (down), as SVG.
std::string profile_svg(std::span<const float> heat, const HeatScale& scale);

/// The colours of the scale with their meaning. \param unit of the greatest heat, "log-odds"
std::string legend_html(const HeatScale& scale, const std::string& label, std::string_view unit);

/// The picture, its heat, and the heat laid over it.
std::string picture_html(const PictureHeat& picture);

/// The waveform over its heat, as SVG, in seconds.
std::string sound_html(const SoundHeat& sound);

/// A hex dump with heat: the whole file if it is short, else its hottest rows.
std::string dump_html(std::span<const std::uint8_t> file, std::span<const float> heat, const HeatScale& scale);

}  // namespace byteformer::cli
