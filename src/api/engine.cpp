// Loads a model with its threads and kernels, and lends workspaces to calls.
#include "api/engine.hpp"

#include <utility>

#include "base/check.hpp"
#include "byteformer/error.hpp"
#include "format/model_folder.hpp"

namespace byteformer::api {
namespace {

constexpr int kMostThreads = 1024;

int checked_threads(int num_threads) {
  if (num_threads < 0 || num_threads > kMostThreads)
    throw Error(ErrorCode::kInvalidArgument, "num_threads is " + std::to_string(num_threads) + "; it must be 1 to " +
                                                 std::to_string(kMostThreads) + ", or 0 for one a processor");
  return num_threads;
}

}  // namespace

Engine::Engine(const std::filesystem::path& model_dir, const LoadOptions& options)
    : precision_(options.precision),
      has_many_callers_(options.many_callers),
      kernels_(&kernels::default_kernels()),
      pool_(checked_threads(options.num_threads)) {
  if (model_dir.empty()) throw Error(ErrorCode::kNotFound, "the path of the model is empty: it is a folder");
  const nn::LinearKernels linear_kernels(*kernels_, kernels::reduced_kernels_for(*kernels_, precision_));
  format::ModelFolder folder = format::read_model_folder(model_dir);
  config_ = std::move(folder.config);
  if (!options.as_is) form_ = ExpectedForm(config_, model_dir);
  masking_ = options.masking.value_or(config_.masking);
  model_ = std::make_unique<const model::ByteFormer>(
      config_, std::make_shared<const format::Tensors>(std::move(folder.tensors)), masking_, linear_kernels, pool_);
}

std::size_t Engine::max_workspace_bytes() const noexcept {
  const std::size_t of_all = model_->max_workspace_bytes(num_threads());
  return num_threads() == 1 ? of_all
                            : of_all + static_cast<std::size_t>(num_threads()) * model_->max_workspace_bytes(1);
}

std::unique_ptr<model::Workspace> Engine::borrow(Threads threads) const {
  {
    Idle& idle = idle_.get();
    const std::lock_guard lock(idle.mutex);
    if (Idle::Workspaces& workspaces = idle.of(threads); !workspaces.empty()) {
      auto workspace = std::move(workspaces.back());
      workspaces.pop_back();
      return workspace;
    }
  }
  base::ThreadPool& pool = threads == Threads::kAll ? pool_ : caller_;
  return std::make_unique<model::Workspace>(model_->make_workspace(pool));
}

void Engine::give_back(Threads threads, std::unique_ptr<model::Workspace> workspace) const noexcept {
  BF_DCHECK(workspace != nullptr);
  try {
    model_->reset(*workspace);
    Idle& idle = idle_.get();
    const std::lock_guard lock(idle.mutex);
    idle.of(threads).push_back(std::move(workspace));
  } catch (...) {
    // Out of memory while keeping a spare workspace: drop it, the next caller makes its own.
  }
}

}  // namespace byteformer::api
