// An explanation as text for a terminal, as JSON and as an HTML page.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "console.hpp"
#include "explain/attribution.hpp"

namespace byteformer::cli {

/// The answer, a strip for the whole file, and a hex dump of the hottest rows. \param max_rows of the dump
std::string explanation_text(const ExplanationReport& report, std::size_t max_rows, const Console& console);

/// One JSON object; its keys are in the help of the command.
std::string explanation_json(const ExplanationReport& report);

/// A page of its own: no scripts, nothing to load.
std::string explanation_page(const ExplanationReport& report);

/// Rows of a hex dump are 16 bytes.
inline constexpr std::size_t kDumpRowBytes = 16;

/// The `max_rows` rows of a dump in which most happens, for or against, in the order of the file.
std::vector<std::size_t> hottest_rows(std::span<const float> heat, std::size_t max_rows);

/// "93.1 %": a share of 1.
std::string percent(double share);

/// "00000180": an offset as a dump shows it.
std::string offset_text(std::size_t offset);

}  // namespace byteformer::cli
