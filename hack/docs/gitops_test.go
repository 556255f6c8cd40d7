package docs

import "context"

var _ = plays("docs/gitops.md", "Tokens", func(ctx context.Context, s *stage, p *player) {})

var _ = plays("docs/gitops.md", "Approvals", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	idp, ids := c.people(ctx)
	p.replace["1ea0ec596793"] = c.deactivateAtOnce(ctx, "okta", idp, ids[:2])
})
