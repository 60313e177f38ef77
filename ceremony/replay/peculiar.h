// Peculiar tells which differences between a record and its replay come of the
// modules alone: each token of the record and of the replay has its row in
// hsm/quirks, and a difference is explained when the rows say that it must be.
//
// Nothing is explained for a token that is the same product in both.
#ifndef CEREMONY_REPLAY_PECULIAR_H_
#define CEREMONY_REPLAY_PECULIAR_H_

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/replay/artefact.h"
#include "ceremony/replay/compare.h"
#include "hsm/quirks.h"

namespace ceremony::replay {

// Product is what a record says of one token, and the row of the module that its binding names.
struct Product {
  std::string text;  // maker and model of the token, maker and version of its module
  hsm::Quirks quirks{};
};

class Peculiar final {
 public:
  // Both must outlive it. A record without its binding, or without modules, has the row of a well-behaved module.
  Peculiar(const Side& recorded, const Side& replayed);

  // IsOther tells whether a token is another product in the replay; for the empty name, whether any is.
  bool IsOther(const std::string& token) const;

  // Explain is the id of the reason (REPLAY-QUIRK-..) of a difference in two entries about one token; empty: none. A
  // module's own digest is REPLAY-TOKEN-01 where it is that of a module that the ceremony loaded.
  std::string_view Explain(const nlohmann::json& then, const nlohmann::json& now, const Unlike& difference);

  // ExplainCall is the same for an intent that only the record has: a repair of what the module ignored when a key
  // came in, and to nothing but what was asked for then.
  std::string_view ExplainCall(const nlohmann::json& intent) const;

 private:
  struct Two {
    const Product& then;
    const Product& now;
  };
  Two Of(const std::string& token) const;
  bool IsPointOf(const std::string& point, const std::string& id) const;
  bool IsSameWay(const nlohmann::json& then, const nlohmann::json& now, const Unlike& difference);

  std::string_view ExplainAttribute(const nlohmann::json& then, const nlohmann::json& now, const Unlike& difference,
                                    const Product& a, const Product& b) const;

  const Side& recorded_;
  const Side& replayed_;
  std::map<std::string, Product> then_, now_;
  std::set<std::pair<std::string, std::string>> ways_;  // of a copy, that mean the same
};

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_PECULIAR_H_
