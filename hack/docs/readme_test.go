package docs

import "context"

var _ = plays("README.md", "Connect Okta in five steps", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	c.applyShown(ctx, p, "README.md", "Connect Okta in five steps")
	p.after = map[string]func(context.Context){"kubectl get secret": func(ctx context.Context) {
		c.connectWith(ctx, "okta", p.printed[0])
	}}
})
