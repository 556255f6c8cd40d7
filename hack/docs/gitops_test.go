package docs

import (
	"context"
	"strings"

	. "github.com/onsi/gomega"
)

var _ = plays("docs/gitops.md", "Tokens", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	const ofNone = "0000000000000000000000000000000000000000000000000000000000000000"
	p.after = map[string]func(context.Context){"printf": func(ctx context.Context) {
		p.replace[ofNone] = p.printed[0]
		for _, b := range shown("docs/gitops.md", "Tokens", "yaml") {
			if strings.Contains(b.text, ofNone) {
				c.apply(ctx, p.replaced(b.text))
			}
		}
		token, succeeded := p.shell.run(`echo "$token"`)
		Expect(succeeded).To(BeTrue())
		c.connectWith(ctx, "okta", token[0])
	}}
})

var _ = plays("docs/gitops.md", "Approvals", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	idp, ids := c.people(ctx)
	p.replace["1ea0ec596793"] = c.deactivateAtOnce(ctx, "okta", idp, ids[:2])
})
