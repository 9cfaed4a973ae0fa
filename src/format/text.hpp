// The names of base/text.hpp in this namespace, by which the floors above call them.
#pragma once

#include "base/text.hpp"

namespace byteformer::format {

using base::duration_text;
using base::excerpt;
using base::fail;
using base::is_utf8;
using base::joined;
using base::number_text;

}  // namespace byteformer::format
