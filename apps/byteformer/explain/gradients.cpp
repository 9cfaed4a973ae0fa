// Asks the trainer's program for integrated gradients.
#include "explain/gradients.hpp"

#include "byteformer/error.hpp"
#include "system/external_program.hpp"
#include "system/filter_program.hpp"

namespace byteformer::cli {

GradientAnswer integrated_gradients(const std::filesystem::path& model_dir, std::span<const std::uint8_t> file,
                                    const GradientRequest& request) {
  const std::filesystem::path trainer =
      find_trainer("integrated gradients need", "; or use --method occlusion, which needs nothing else");
  const std::string answer = run_filter(trainer, {kIntegratedGradients, to_json(request), model_dir.native()}, file);
  GradientAnswer gradients = parse_gradient_answer(answer);
  if (gradients.heat.size() != file.size())
    throw Error(ErrorCode::kInternal, "byteformer-train answered for another number of bytes than it was given");
  return gradients;
}

}  // namespace byteformer::cli
