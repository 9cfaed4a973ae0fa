// What a training starts from, asked for or not, and what that makes of its files.
#pragma once

#include <optional>

#include "data/survey.hpp"
#include "plan/plan.hpp"
#include "plan/planner.hpp"
#include "plan/settings.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::plan {

/// The share of pictures, or of sounds, from which on data are of that kind, and the rest strays.
inline constexpr double kClearMajority = 0.9;

/// Whether the model that training starts from was chosen here, so that it must suit the data and not the other way
/// round.
bool is_own_start(const TrainingPlan& plan);

/// Seconds to which sounds are cut or filled; nothing where each keeps its own length.
std::optional<double> usual_duration(const data::Survey& survey);

/// What files of the model look like that training starts from. Nothing where it starts from none, or where files are
/// taken as they are. \throws Error as prepare::read_preprocess(); kInvalidArgument where a secret key is missing.
std::optional<prepare::Preprocess> preprocess_of_start(const Request& request, const data::Survey& survey,
                                                       const TrainingPlan& plan);

// What a start reads, but for what is asked for.
prepare::ImagePreparation as_asked(prepare::ImagePreparation image, const Request& request);
prepare::SoundPreparation as_asked(prepare::SoundPreparation sound, const Request& request);

/// Sets `plan.init_from` to the shipped model whose kind of files `survey` found, where `request` neither names a start
/// nor says anything of the model or its files that the start would not be; otherwise leaves it.
void choose_start(const Request& request, const data::Survey& survey, const Machine& machine, TrainingPlan& plan);

}  // namespace byteformer::plan
