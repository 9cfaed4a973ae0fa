// Everything the library offers, in one include.
#pragma once

#include "byteformer/classifier.hpp"
#include "byteformer/error.hpp"
#include "byteformer/masking.hpp"
#include "byteformer/precision.hpp"
#include "byteformer/version.hpp"
