// Everything the library offers, in one include.
#pragma once

#include "byteformer/byte_range.hpp"
#include "byteformer/classifier.hpp"
#include "byteformer/error.hpp"
#include "byteformer/explain.hpp"
#include "byteformer/masking.hpp"
#include "byteformer/precision.hpp"
#include "byteformer/version.hpp"
