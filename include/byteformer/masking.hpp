// The two meanings of masking that a ByteFormer can be run with.
#pragma once

namespace byteformer {

/// How padding and window wrap-around are treated. A model's configuration names the meaning that it was trained with.
/// \see docs/architecture.md, "Two meanings of masking"
enum class Masking {
  kReleased,  ///< The published implementation: no masks; windows wrap around the file and attend to filler rows.
  kMasked,    ///< The paper's description: attention never sees filler rows nor crosses the ends of the file.
};

}  // namespace byteformer
