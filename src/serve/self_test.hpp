// A server that asks itself.
#pragma once

#include "serve/models.hpp"
#include "serve/server.hpp"
#include "serve/service.hpp"

namespace byteformer::serve {

/// Sends some bytes to each model over the network and compares the answer with the model's own. From then on `service`
/// takes no API key but the test's own.
/// \throws Error kInternal naming the model whose answer differs, and how
void self_test(Service& service, const Server& server, const Models& models, const Describe& describe);

}  // namespace byteformer::serve
