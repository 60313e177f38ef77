// Peculiar explains differences between a record and its replay that come from the
// modules alone. Each token has its row in hsm/quirks; a difference is explained when
// the rows say that it must occur.
//
// It explains nothing for a token that is the same product in both.
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

// Product describes one token of a record, with the row of the module in the binding.
struct Product {
  std::string text;  // maker and model of the token, maker and version of its module
  hsm::Quirks quirks{};
};

class Peculiar final {
 public:
  // Both must outlive it. Without a binding or modules, a token gets the row of a well-behaved module.
  Peculiar(const Side& recorded, const Side& replayed);

  // IsOther returns whether a token is another product in the replay; for an empty name, whether any token is.
  bool IsOther(const std::string& token) const;

  // Explain returns the id of the reason (REPLAY-QUIRK-..) for a difference between two entries about one token; empty:
  // none. The digest of a module that the ceremony loaded is REPLAY-TOKEN-01.
  std::string_view Explain(const nlohmann::json& then, const nlohmann::json& now, const Unlike& difference);

  // ExplainCall does the same for an intent that only the record has. It explains a call that sets attributes which the
  // module ignored when a key came in, if it sets nothing but what was asked for then.
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
  std::set<std::pair<std::string, std::string>> ways_;  // ways of a copy that mean the same
};

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_PECULIAR_H_
